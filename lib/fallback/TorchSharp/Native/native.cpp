// The native half of the binding. libtorch's dispatcher calls any operator by its schema name with boxed arguments, so
// this file holds one call for all operators, and the few things that are no operators: sizes, dtype, memory, gradients,
// grad mode, generators, threads. It uses only what libtorch 1.13 and 2.x both have. No exception crosses the border:
// a function that failed returns -1 (or null), and torch_last_error() gives the first line of the message.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

namespace {

enum Tag : int32_t {
    kDefault, // the schema's default for this argument
    kNone,
    kTensor,
    kInt,
    kDouble,
    kBool,
    kInts,
    kDoubles,
    kTensors,
    kOptionalTensors,
    kDevice, // count: type, i: index
    kString,
    kGenerator,
};

// One argument or result. The managed side declares the same 16 bytes.
struct Value {
    int32_t tag;
    int32_t count;
    union {
        void* p;
        int64_t i;
        double d;
    };
};
static_assert(sizeof(Value) == 16, "the managed side counts on 16 bytes");

thread_local std::string last_error;
thread_local std::vector<Value> results;

void remember(const char* message) {
    last_error.assign(message, std::strcspn(message, "\n"));
}

// Runs `body`; an exception becomes last_error and `failed`.
template <class R, class Body>
R guarded(R failed, Body body) noexcept {
    try {
        return body();
    } catch (const c10::Error& e) {
        remember(e.what_without_backtrace());
    } catch (const std::exception& e) {
        remember(e.what());
    } catch (...) {
        remember("unknown native exception");
    }
    return failed;
}

// libtorch 1.13 has its own optional, 2.x the standard's: whatever it uses itself.
template <template <class> class Optional, class T>
Optional<at::Tensor> of_tensor(const Optional<T>&);
using OptionalTensor = decltype(of_tensor(std::declval<const c10::Argument&>().default_value()));

at::Tensor& tensor(void* p) { return *static_cast<at::Tensor*>(p); }

void* hand_over(at::Tensor t) { return t.defined() ? new at::Tensor(std::move(t)) : nullptr; }

c10::IValue unpack(const Value& v, const c10::Argument& argument) {
    switch (v.tag) {
        case kDefault:
            TORCH_CHECK(argument.default_value().has_value(), "argument ", argument.name(), " has no default");
            return *argument.default_value();
        case kNone: return c10::IValue();
        case kTensor: return tensor(v.p);
        case kInt: return v.i;
        case kDouble: return v.d;
        case kBool: return v.i != 0;
        case kInts: {
            auto first = static_cast<int64_t*>(v.p);
            return c10::List<int64_t>(c10::ArrayRef<int64_t>(first, v.count));
        }
        case kDoubles: {
            auto first = static_cast<double*>(v.p);
            return c10::List<double>(c10::ArrayRef<double>(first, v.count));
        }
        case kTensors: {
            c10::List<at::Tensor> list;
            list.reserve(v.count);
            for (int k = 0; k < v.count; k++) list.push_back(tensor(static_cast<void**>(v.p)[k]));
            return list;
        }
        case kOptionalTensors: {
            c10::List<OptionalTensor> list;
            list.reserve(v.count);
            for (int k = 0; k < v.count; k++) {
                auto p = static_cast<void**>(v.p)[k];
                list.push_back(p ? OptionalTensor(tensor(p)) : OptionalTensor());
            }
            return list;
        }
        case kDevice: return c10::Device(static_cast<c10::DeviceType>(v.count), static_cast<c10::DeviceIndex>(v.i));
        case kString: return std::string(static_cast<const char*>(v.p), v.count);
        case kGenerator: return *static_cast<at::Generator*>(v.p);
    }
    TORCH_CHECK(false, "unknown argument tag ", v.tag);
}

void give_tensor(at::Tensor t) {
    Value v{kTensor, 0, {nullptr}};
    v.p = hand_over(std::move(t));
    results.push_back(v);
}

void pack(const c10::IValue& result) {
    Value v{kNone, 0, {nullptr}};
    if (result.isTensor()) return give_tensor(result.toTensor());
    if (result.isTensorList()) {
        for (auto& t : result.toTensorVector()) give_tensor(std::move(t));
        return;
    }
    if (result.isBool()) {
        v.tag = kBool;
        v.i = result.toBool();
    } else if (result.isInt()) {
        v.tag = kInt;
        v.i = result.toInt();
    } else if (result.isDouble()) {
        v.tag = kDouble;
        v.d = result.toDouble();
    }
    results.push_back(v);
}

std::vector<at::Tensor> tensors(void** p, int count) {
    std::vector<at::Tensor> list;
    for (int k = 0; k < count; k++) list.push_back(p[k] ? tensor(p[k]) : at::Tensor());
    return list;
}

int64_t give_tensors(const std::vector<at::Tensor>& list, Value** out) {
    results.clear();
    for (auto& t : list) give_tensor(t);
    *out = results.data();
    return static_cast<int64_t>(results.size());
}

} // namespace

API const char* torch_version() { return TORCH_VERSION; }

API const char* torch_last_error() { return last_error.c_str(); }

// ---- operators ----

API const void* torch_operator(const char* name, const char* overload) {
    return guarded<const void*>(nullptr, [&] {
        return new c10::OperatorHandle(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload));
    });
}

// Calls an operator. Arguments left out at the end take the schema's defaults. Returns the number of results; they lie at
// *out until this thread's next call. With out == nullptr the results are dropped (in-place operators).
API int64_t torch_call(const void* op, const Value* arguments, int count, Value** out) {
    return guarded<int64_t>(-1, [&]() -> int64_t {
        auto& handle = *static_cast<const c10::OperatorHandle*>(op);
        auto& schema = handle.schema().arguments();
        TORCH_CHECK(static_cast<size_t>(count) <= schema.size(), handle.schema().name(), " takes ", schema.size(), " arguments");
        torch::jit::Stack stack;
        stack.reserve(schema.size());
        for (size_t k = 0; k < schema.size(); k++) {
            stack.push_back(unpack(k < static_cast<size_t>(count) ? arguments[k] : Value{kDefault, 0, {nullptr}}, schema[k]));
        }
        handle.callBoxed(&stack);
        if (!out) return 0;
        results.clear();
        for (auto& result : stack) pack(result);
        *out = results.data();
        return static_cast<int64_t>(results.size());
    });
}

// ---- tensors ----

API void torch_free(void* t) { delete static_cast<at::Tensor*>(t); }
API int64_t torch_dim(void* t) { return tensor(t).dim(); }
API int64_t torch_numel(void* t) { return tensor(t).numel(); }
API void torch_sizes(void* t, int64_t* out) { std::memcpy(out, tensor(t).sizes().data(), tensor(t).dim() * sizeof(int64_t)); }
API void torch_strides(void* t, int64_t* out) { std::memcpy(out, tensor(t).strides().data(), tensor(t).dim() * sizeof(int64_t)); }
API int64_t torch_storage_offset(void* t) { return tensor(t).storage_offset(); }
API int torch_dtype(void* t) { return static_cast<int>(tensor(t).scalar_type()); }
API int torch_device_type(void* t) { return static_cast<int>(tensor(t).device().type()); }
API int torch_device_index(void* t) { return tensor(t).device().index(); }
API bool torch_is_contiguous(void* t) { return tensor(t).is_contiguous(); }
API bool torch_is_sparse(void* t) { return tensor(t).is_sparse(); }
API void* torch_data(void* t) {
    return guarded<void*>(nullptr, [&]() -> void* {
        TORCH_CHECK(tensor(t).has_storage() && !tensor(t).is_meta(), "the tensor has no memory");
        return tensor(t).data_ptr();
    });
}

// A tensor over memory that the caller owns; `release(context)` is called when the last view of it is gone.
API void* torch_from_blob(void* data, int64_t* sizes, int dims, int dtype, void (*release)(void*), void* context) {
    return guarded<void*>(nullptr, [&] {
        auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
        return hand_over(at::from_blob(data, at::IntArrayRef(sizes, dims), [=](void*) { release(context); }, options));
    });
}

// ---- autograd ----

API bool torch_requires_grad(void* t) { return tensor(t).requires_grad(); }
API bool torch_is_leaf(void* t) { return tensor(t).is_leaf(); }
API int torch_set_requires_grad(void* t, bool on) {
    return guarded(-1, [&] { return tensor(t).set_requires_grad(on), 0; });
}
API int torch_retain_grad(void* t) {
    return guarded(-1, [&] { return tensor(t).retain_grad(), 0; });
}
API void* torch_grad(void* t) {
    return guarded<void*>(nullptr, [&] { return hand_over(tensor(t).grad()); });
}
API int torch_set_grad(void* t, void* grad) {
    return guarded(-1, [&] { return tensor(t).mutable_grad() = grad ? tensor(grad) : at::Tensor(), 0; });
}
API int torch_backward(void** outputs, int count, void** grads, int grad_count, bool retain_graph, bool create_graph, void** inputs, int input_count) {
    return guarded(-1, [&] {
        torch::autograd::backward(tensors(outputs, count), tensors(grads, grad_count), retain_graph, create_graph, tensors(inputs, input_count));
        return 0;
    });
}
API int64_t torch_autograd_grad(void** outputs, int count, void** inputs, int input_count, void** grads, int grad_count, bool retain_graph, bool create_graph, bool allow_unused, Value** out) {
    return guarded<int64_t>(-1, [&] {
        return give_tensors(torch::autograd::grad(tensors(outputs, count), tensors(inputs, input_count), tensors(grads, grad_count), retain_graph, create_graph, allow_unused), out);
    });
}
API bool torch_grad_mode() { return c10::GradMode::is_enabled(); }
API void torch_set_grad_mode(bool on) { c10::GradMode::set_enabled(on); }
API bool torch_is_inference_mode() { return c10::InferenceMode::is_enabled(); }
API void* torch_enter_inference_mode(bool on) { return new c10::InferenceMode(on); }
API void torch_leave_inference_mode(void* mode) { delete static_cast<c10::InferenceMode*>(mode); }

// ---- generators ----

API void* torch_generator(int device_type, int device_index) {
    return guarded<void*>(nullptr, [&] {
        auto type = static_cast<c10::DeviceType>(device_type);
        auto index = static_cast<c10::DeviceIndex>(device_index);
        if (type == c10::DeviceType::CPU) return new at::Generator(at::globalContext().defaultGenerator(c10::Device(type)).clone());
        return new at::Generator(at::globalContext().defaultGenerator(c10::Device(type, index < 0 ? 0 : index)).clone());
    });
}
API void* torch_default_generator() {
    return guarded<void*>(nullptr, [] { return new at::Generator(at::globalContext().defaultGenerator(c10::Device(c10::DeviceType::CPU))); });
}
API void torch_free_generator(void* g) { delete static_cast<at::Generator*>(g); }
API int torch_generator_seed(void* g, int64_t seed) {
    return guarded(-1, [&] {
        auto& generator = *static_cast<at::Generator*>(g);
        std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_current_seed(static_cast<uint64_t>(seed));
        return 0;
    });
}
API int64_t torch_generator_initial_seed(void* g) { return static_cast<int64_t>(static_cast<at::Generator*>(g)->current_seed()); }
API void* torch_generator_state(void* g) {
    return guarded<void*>(nullptr, [&] { return hand_over(static_cast<at::Generator*>(g)->get_state()); });
}
API int torch_generator_set_state(void* g, void* state) {
    return guarded(-1, [&] { return static_cast<at::Generator*>(g)->set_state(tensor(state)), 0; });
}
// The CPU's generator and, where there is one, every CUDA device's.
API int torch_manual_seed(int64_t seed) {
    return guarded(-1, [&] { return at::manual_seed(static_cast<uint64_t>(seed)), 0; });
}

// ---- the machine ----

API int torch_threads() { return at::get_num_threads(); }
API void torch_set_threads(int count) {
    at::set_num_threads(count);
    // OpenBLAS has threads of its own, one set for the process, for which two of our threads would wait in turn.
    if (auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(count);
}
API int torch_interop_threads() { return at::get_num_interop_threads(); }
API int torch_set_interop_threads(int count) {
    return guarded(-1, [&] { return at::set_num_interop_threads(count), 0; });
}
API int torch_cuda_devices() {
    constexpr auto cuda = c10::DeviceType::CUDA;
    return c10::impl::hasDeviceGuardImpl(cuda) ? static_cast<int>(c10::impl::getDeviceGuardImpl(cuda)->deviceCount()) : 0;
}
API int torch_synchronize(int device_index) {
    return guarded(-1, [&] {
        auto device = c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device_index));
        auto guard = c10::impl::getDeviceGuardImpl(device.type());
        return guard->synchronizeStream(guard->getStream(device)), 0;
    });
}
