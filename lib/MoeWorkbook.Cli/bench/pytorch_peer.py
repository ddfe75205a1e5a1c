"""PyTorch's side of the benchmark: one Mixture-of-Experts layer, run by the usual loop over experts.

It answers line by line: "run TOKENS" with the milliseconds of one call, "quit" by ending.
"""

import argparse
import sys
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
for name in ("experts", "top-k", "hidden", "ffn", "threads"):
    parser.add_argument(f"--{name}", type=int, required=True)
parser.add_argument("--dtype", choices=("float32", "bfloat16"), required=True)
parser.add_argument("--device", default="cpu")
args = parser.parse_args()
dtype = getattr(torch, args.dtype)
torch.set_num_threads(args.threads)
torch.manual_seed(0)
synchronize = torch.cuda.synchronize if args.device.startswith("cuda") else lambda: None


def matrix(rows, columns):
    drawn = (torch.randn(min(rows, 1024), columns) * 0.02).to(args.device, dtype)
    return drawn.repeat(-(-rows // len(drawn)), 1)[:rows].contiguous()


class Expert:
    def __init__(self):
        self.gate = matrix(args.ffn, args.hidden)
        self.up = matrix(args.ffn, args.hidden)
        self.down = matrix(args.hidden, args.ffn)

    def __call__(self, x):
        return F.linear(F.silu(F.linear(x, self.gate)) * F.linear(x, self.up), self.down)


def layer(hidden, chosen, weights):
    output = torch.zeros_like(hidden)
    mask = F.one_hot(chosen, len(experts)).permute(2, 1, 0)  # [experts, top-k, tokens]
    for number, expert in enumerate(experts):
        slot, token = torch.where(mask[number])
        if len(token) == 0:
            continue
        computed = expert(hidden[token]) * weights[token, slot, None]
        output.index_add_(0, token, computed)
    return output


def balanced(tokens, first):
    dealt = torch.arange(tokens * args.top_k, device=args.device) + first
    return (dealt % args.experts).view(tokens, args.top_k)


experts = [Expert() for _ in range(args.experts)]
seen = set()
call = 0
print(f"ready {torch.__version__}", flush=True)
for line in sys.stdin:
    command = line.split()
    if command[:1] != ["run"]:
        break
    tokens = int(command[1])
    hidden = torch.randn(tokens, args.hidden).to(args.device, dtype)
    weights = torch.full((tokens, args.top_k), 1 / args.top_k, dtype=dtype, device=args.device)
    with torch.inference_mode():
        for _ in range(1 if tokens in seen else 2):  # the first call of a size does not count
            synchronize()
            start, calls = time.perf_counter(), 0
            while calls == 0 or time.perf_counter() - start < 0.1:  # call after call, as ours
                layer(hidden, balanced(tokens, args.top_k * call), weights)
                calls, call = calls + 1, call + 1
            synchronize()
            milliseconds = 1000 * (time.perf_counter() - start) / calls
    seen.add(tokens)
    print(milliseconds, flush=True)
