"""PyTorch's side of the benchmark: one Mixture-of-Experts layer, run by the usual loop over experts and as a grouped product.

It answers line by line: "run loop TOKENS" and "run grouped TOKENS" with the milliseconds of one call, "quit" by ending.
"""

import argparse
import sys
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
for name in ("experts", "top-k", "hidden", "intermediate-size", "threads"):
    parser.add_argument(f"--{name}", type=int, required=True)
parser.add_argument("--dtype", choices=("float32", "bfloat16"), required=True)
parser.add_argument("--device", default="cpu")
parser.add_argument("--routing", choices=("balanced", "collapsed"), default="balanced")
parser.add_argument("--check", action="store_true", help="compare the two on a few tokens, and end")
args = parser.parse_args()
dtype = getattr(torch, args.dtype)
on_gpu = args.device.startswith("cuda")
torch.set_num_threads(args.threads)
torch.manual_seed(0)


def synchronize():
    if on_gpu:
        torch.cuda.synchronize(args.device)


def matrices(rows, columns):
    stacked = torch.empty(args.experts, rows, columns, dtype=dtype, device=args.device)
    drawn = (torch.randn(min(rows, 1024), columns) * 0.02).to(args.device, dtype)
    for first in range(0, rows, len(drawn)):
        count = min(len(drawn), rows - first)
        stacked[:, first : first + count] = drawn[:count]
    return stacked


gate_up = matrices(2 * args.intermediate_size, args.hidden)  # [experts, 2 * intermediate, hidden]
down = matrices(args.hidden, args.intermediate_size)  # [experts, hidden, intermediate]


def expert(number, x):
    gate, up = gate_up[number].chunk(2)
    return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down[number])


def loop(hidden, chosen, weights):
    """As Mixtral is published: expert after expert, each on the tokens that chose it."""
    output = torch.zeros_like(hidden)
    mask = F.one_hot(chosen, args.experts).permute(2, 1, 0)  # [experts, top-k, tokens]
    for number in range(args.experts):
        slot, token = torch.where(mask[number])
        if len(token) == 0:
            continue
        computed = expert(number, hidden[token]) * weights[token, slot, None]
        output.index_add_(0, token, computed)
    return output


def grouped(hidden, chosen, weights):
    """Tokens sorted by expert, and all experts in one product for each projection."""
    owner, order = chosen.flatten().sort(stable=True)  # [assignments], expert after expert
    token = order // args.top_k
    counts = (owner[:, None] == torch.arange(args.experts, device=owner.device)).sum(0)  # [experts]
    product = grouped_mm if has_grouped_mm else padded_bmm
    computed = product(hidden[token], owner, counts)  # [assignments, hidden]
    return torch.zeros_like(hidden).index_add_(0, token, computed * weights.flatten()[order, None])


def grouped_mm(inputs, owner, counts):
    ends = counts.cumsum(0).to(torch.int32)
    gate, up = torch._grouped_mm(inputs, gate_up.transpose(1, 2), offs=ends).chunk(2, -1)
    return torch._grouped_mm(F.silu(gate) * up, down.transpose(1, 2), offs=ends)


def padded_bmm(inputs, owner, counts):
    rows = int(counts.max())  # of the busiest expert
    slot = owner * rows + torch.arange(len(owner), device=owner.device) - (counts.cumsum(0) - counts)[owner]
    padded = inputs.new_zeros(args.experts * rows, args.hidden)
    padded[slot] = inputs
    gate, up = torch.bmm(padded.view(args.experts, rows, -1), gate_up.transpose(1, 2)).chunk(2, -1)
    return torch.bmm(F.silu(gate) * up, down.transpose(1, 2)).flatten(0, 1)[slot]


def choices(tokens, first):
    dealt = torch.arange(tokens * args.top_k, device=args.device)
    if args.routing == "collapsed":
        dealt = dealt % args.top_k
    return ((dealt + first) % args.experts).view(tokens, args.top_k)


def inputs(tokens):
    weights = torch.full((tokens, args.top_k), 1 / args.top_k, dtype=dtype, device=args.device)
    return torch.randn(tokens, args.hidden).to(args.device, dtype), weights


def difference():
    """How far the two are apart, relative to the largest output."""
    hidden, weights = inputs(5)
    outputs = [layer(hidden, choices(5, 0), weights).float() for layer in (loop, grouped)]
    return float((outputs[0] - outputs[1]).abs().max() / outputs[0].abs().max())


def try_grouped_mm():
    """Whether this PyTorch has a grouped product for this GPU and type."""
    if not (on_gpu and args.dtype == "bfloat16" and hasattr(torch, "_grouped_mm")):
        return False
    global has_grouped_mm
    has_grouped_mm = True
    try:
        return difference() < 0.05
    except RuntimeError:
        return False


with torch.inference_mode():
    has_grouped_mm = try_grouped_mm()
    if args.check:
        print(difference())
        sys.exit()

layers = {"loop": loop, "grouped": grouped}
seen = set()
call = 0
print(f"ready {torch.__version__} (grouped: {'torch._grouped_mm' if has_grouped_mm else 'torch.bmm'})", flush=True)
for line in sys.stdin:
    command = line.split()
    if command[:1] != ["run"]:
        break
    layer, tokens = layers[command[1]], int(command[2])
    hidden, weights = inputs(tokens)
    with torch.inference_mode():
        for _ in range(1 if (layer, tokens) in seen else 2):  # the first call of a size does not count
            synchronize()
            start, calls = time.perf_counter(), 0
            while calls == 0 or time.perf_counter() - start < 0.1:  # call after call, as ours
                layer(hidden, choices(tokens, args.top_k * call), weights)
                calls, call = calls + 1, call + 1
            synchronize()
            milliseconds = 1000 * (time.perf_counter() - start) / calls
    seen.add((layer, tokens))
    print(milliseconds, flush=True)
