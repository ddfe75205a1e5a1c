#!/usr/bin/env bash
# Compiles native.cpp against the system's libtorch, or the one in $LIBTORCH (a folder with include/ and lib/: that of an
# unpacked libtorch, or of an installed PyTorch: python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))').
#   build.sh OUTPUT.so
# With TorchDevice=cuda in the environment, a libtorch without CUDA is an error.
# Errors are printed in the form that MSBuild shows as errors.
set -u
output=$1
source=$(dirname "$0")/native.cpp
log=$output.log

fail() { echo "native.cpp : error TORCH$1: $2"; exit 1; }

command -v g++ > /dev/null ||
    fail 1 "the C++ compiler g++ was not found, and TorchSharp's stand-in needs it once. Install it with: apt-get install g++"

include=() link=()
if [ -n "${LIBTORCH:-}" ]; then
    [ -f "$LIBTORCH/include/ATen/ATen.h" ] || fail 2 "LIBTORCH is '$LIBTORCH', but there is no include/ATen/ATen.h in it. It must name a folder with libtorch's include/ and lib/."
    include=(-I"$LIBTORCH/include" -I"$LIBTORCH/include/torch/csrc/api/include")
    link=(-L"$LIBTORCH/lib" "-Wl,-rpath,$LIBTORCH/lib")
    libraries=$LIBTORCH/lib
    # Wheels of PyTorch before 2.6 use the C++ library's old string type: std::string is "Ss" in their symbols.
    ! grep -q 5ErrorC.ENS_14SourceLocationESs "$LIBTORCH/lib/libc10.so" || include+=(-D_GLIBCXX_USE_CXX11_ABI=0)
else
    include=(-I/usr/include/torch/csrc/api/include)
    libraries=/usr/lib/$(g++ -print-multiarch)
fi

version=$(echo '#include <torch/version.h>' | g++ "${include[@]}" -x c++ -E -dM - 2> /dev/null |
    awk '/define TORCH_VERSION_MAJOR/ { major = $3 } /define TORCH_VERSION_MINOR/ { minor = $3 } END { print major * 100 + minor }')
[ "$version" -gt 0 ] ||
    fail 3 "libtorch's headers were not found. Install them with: apt-get install libtorch-dev libopenblas0-pthread, or set LIBTORCH to a libtorch folder."
standard=c++17
[ "$version" -lt 209 ] || standard=c++20

cuda=()
if [ -e "$libraries/libtorch_cuda.so" ]; then
    cuda=(-ltorch_cuda -lc10_cuda)
elif [ "${TorchDevice:-}" = cuda ]; then
    fail 5 "TorchDevice is cuda, but the libtorch in $libraries was built without CUDA: it has no libtorch_cuda.so. Set LIBTORCH to one that has it, such as the folder of an installed PyTorch for CUDA (Debian from 13 on has libtorch-cuda-dev, in contrib), or leave TorchDevice out to compute on the CPU."
fi

mkdir -p "$(dirname "$output")"
g++ -O2 -std=$standard -fPIC -shared -w "${include[@]}" "$source" -o "$output.new" \
    "${link[@]}" -Wl,--no-as-needed -ltorch_cpu -lc10 "${cuda[@]}" -ltorch > "$log" 2>&1 || {
    fail 4 "native.cpp could not be compiled against libtorch $((version / 100)).$((version % 100)): $(grep -m 1 -E 'error|cannot find' "$log"). All of it is in $log"
}
mv "$output.new" "$output"
rm -f "$log"
