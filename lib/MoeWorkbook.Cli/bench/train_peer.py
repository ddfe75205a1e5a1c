"""PyTorch's side of `bench train`: the same small Mixture-of-Experts language model, trained by the usual loop over experts.

It answers line by line: "run STEPS" with the milliseconds of so many training steps, "quit" by ending.
"""

import argparse
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
for name in ("experts", "top-k", "hidden", "intermediate-size", "layers", "heads", "vocabulary", "batch", "sequence", "threads"):
    parser.add_argument(f"--{name}", type=int, required=True)
parser.add_argument("--device", default="cpu")
args = parser.parse_args()
if args.device != "cpu":
    torch.set_default_device(args.device)
torch.set_num_threads(args.threads)
torch.manual_seed(0)


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(args.hidden))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(args.hidden, args.hidden, bias=False) for _ in range(4))

    def forward(self, x):
        batch, sequence, hidden = x.shape
        q, k, v = (p(x).view(batch, sequence, args.heads, -1).transpose(1, 2) for p in (self.q, self.k, self.v))
        q, k = rotate(q), rotate(k)
        logits = (q @ k.transpose(2, 3)) * (hidden // args.heads) ** -0.5
        mixed = logits.masked_fill(hidden_keys, float("-inf")).softmax(-1) @ v
        return self.o(mixed.transpose(1, 2).reshape(batch, sequence, hidden))


class Expert(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(args.hidden, args.intermediate_size, bias=False)
        self.up = nn.Linear(args.hidden, args.intermediate_size, bias=False)
        self.down = nn.Linear(args.intermediate_size, args.hidden, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class MoeLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(args.hidden, args.experts, bias=False)
        self.experts = nn.ModuleList(Expert() for _ in range(args.experts))

    def forward(self, x):
        tokens = x.view(-1, args.hidden)
        probabilities = self.router(tokens).softmax(-1)
        weights, chosen = probabilities.topk(args.top_k, dim=-1)
        if args.top_k > 1:
            weights = weights / weights.sum(-1, keepdim=True)
        output = torch.zeros_like(tokens)
        mask = F.one_hot(chosen, args.experts).permute(2, 1, 0)  # [experts, top-k, tokens]
        for number, expert in enumerate(self.experts):
            slot, token = torch.where(mask[number])
            output.index_add_(0, token, expert(tokens[token]) * weights[token, slot, None])
        load = mask.sum((1, 2)).float()
        self.balance = args.experts * (load / load.sum() * probabilities.mean(0)).sum()
        return output.view_as(x)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.attention = RmsNorm(), Attention()
        self.moe_norm, self.moe = RmsNorm(), MoeLayer()

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.moe(self.moe_norm(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(args.vocabulary, args.hidden)
        self.blocks = nn.ModuleList(Block() for _ in range(args.layers))
        self.norm = RmsNorm()
        self.head = nn.Linear(args.hidden, args.vocabulary, bias=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def rotate(x):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], -1)


pairs = args.hidden // args.heads // 2
angles = torch.arange(args.sequence)[:, None] * 10000.0 ** (-torch.arange(pairs) / pairs)
cosine, sine = angles.cos(), angles.sin()
hidden_keys = torch.ones(args.sequence, args.sequence, dtype=torch.bool).triu(1)
model = Model()
for name, parameter in model.named_parameters():
    if parameter.dim() > 1:
        nn.init.normal_(parameter, std=0.02)
matrices = [p for p in model.parameters() if p.dim() > 1]
vectors = [p for p in model.parameters() if p.dim() == 1]
optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}], lr=2e-3, betas=(0.9, 0.95))


def step():
    text = torch.randint(args.vocabulary, (args.batch, args.sequence + 1))
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
    balance = sum(block.moe.balance for block in model.blocks) / args.layers
    (loss + 0.01 * balance).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


for _ in range(3):
    step()
print(f"ready {torch.__version__}", flush=True)
for line in sys.stdin:
    command = line.split()
    if command[:1] != ["run"]:
        break
    start = time.perf_counter()
    for _ in range(int(command[1])):
        step()
    print(1000 * (time.perf_counter() - start), flush=True)
