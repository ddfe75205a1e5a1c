"""Makes this directory: a tiny random MiniMax-M2 checkpoint and the logits that its published definition gives.

Plain Python in double precision, without a library: python3 reference.py
"""
import json
import math
import random
import struct

CONFIG = {
    "architectures": ["MiniMaxM2ForCausalLM"],
    "model_type": "minimax_m2",
    "torch_dtype": "float32",
    "hidden_size": 32,
    "intermediate_size": 16,
    "shared_intermediate_size": 0,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "rotary_dim": 8,
    "rope_theta": 100.0,
    "vocab_size": 64,
    "max_position_embeddings": 64,
    "num_local_experts": 8,
    "num_experts_per_tok": 3,
    "scoring_func": "sigmoid",
    "use_routing_bias": True,
    "use_qk_norm": True,
    "qk_norm_type": "per_layer",
    "attn_type_list": [1, 1],
    "hidden_act": "silu",
    "rms_norm_eps": 1e-05,
    "router_aux_loss_coef": 0.001,
    "tie_word_embeddings": False,
}
HIDDEN, INNER, VOCABULARY = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
HEADS, GROUPS, HEAD, ROTATED = CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"], CONFIG["head_dim"], CONFIG["rotary_dim"]
EXPERTS, TOP = CONFIG["num_local_experts"], CONFIG["num_experts_per_tok"]
RANDOM = random.Random(7)


def single(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


def matrix(rows, columns, scale):
    return [[single(RANDOM.gauss(0, scale)) for _ in range(columns)] for _ in range(rows)]


def vector(size, mean, scale):
    return [single(RANDOM.gauss(mean, scale)) for _ in range(size)]


def make_weights():
    weights = {
        "model.embed_tokens.weight": matrix(VOCABULARY, HIDDEN, 1),
        "model.norm.weight": vector(HIDDEN, 1, 0.2),
        "lm_head.weight": matrix(VOCABULARY, HIDDEN, 0.2),
    }
    for layer in range(CONFIG["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{name}{norm}.weight"] = vector(HIDDEN, 1, 0.2)
        for projection, heads in (("q", HEADS), ("k", GROUPS), ("v", GROUPS)):
            weights[f"{name}self_attn.{projection}_proj.weight"] = matrix(heads * HEAD, HIDDEN, 0.3)
        weights[f"{name}self_attn.o_proj.weight"] = matrix(HIDDEN, HEADS * HEAD, 0.2)
        weights[f"{name}self_attn.q_norm.weight"] = vector(HEADS * HEAD, 1, 0.4)
        weights[f"{name}self_attn.k_norm.weight"] = vector(GROUPS * HEAD, 1, 0.4)
        moe = f"{name}block_sparse_moe."
        weights[f"{moe}gate.weight"] = matrix(EXPERTS, HIDDEN, 0.3)
        weights[f"{moe}e_score_correction_bias"] = vector(EXPERTS, 0, 0.5)
        for expert in range(EXPERTS):
            for projection, rows, columns in (("w1", INNER, HIDDEN), ("w2", HIDDEN, INNER), ("w3", INNER, HIDDEN)):
                weights[f"{moe}experts.{expert}.{projection}.weight"] = matrix(rows, columns, 0.3)
    return weights


def times(rows, x):
    return [sum(w * v for w, v in zip(row, x)) for row in rows]


def norm(x, weight):
    scale = 1 / math.sqrt(sum(v * v for v in x) / len(x) + CONFIG["rms_norm_eps"])
    return [v * scale * w for v, w in zip(x, weight)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def rotate(head, position):
    """The first elements of a head in pairs (i, i + half); the rest stays."""
    turned, half = list(head), ROTATED // 2
    for i in range(half):
        angle = position * CONFIG["rope_theta"] ** (-2 * i / ROTATED)
        turned[i] = head[i] * math.cos(angle) - head[i + half] * math.sin(angle)
        turned[i + half] = head[i + half] * math.cos(angle) + head[i] * math.sin(angle)
    return turned


def heads_of(x, position=None):
    heads = [x[i:i + HEAD] for i in range(0, len(x), HEAD)]
    return heads if position is None else [rotate(head, position) for head in heads]


def attention(inputs, weights, name):
    # Queries and keys are normed over all heads together, before they are divided and turned.
    queries = [heads_of(norm(times(weights[f"{name}q_proj.weight"], x), weights[f"{name}q_norm.weight"]), p) for p, x in enumerate(inputs)]
    keys = [heads_of(norm(times(weights[f"{name}k_proj.weight"], x), weights[f"{name}k_norm.weight"]), p) for p, x in enumerate(inputs)]
    values = [heads_of(times(weights[f"{name}v_proj.weight"], x)) for x in inputs]
    outputs = []
    for position in range(len(inputs)):
        mixed = []
        for head in range(HEADS):
            group = head // (HEADS // GROUPS)
            scores = [sum(a * b for a, b in zip(queries[position][head], keys[p][group])) / math.sqrt(HEAD) for p in range(position + 1)]
            shares = [math.exp(score - max(scores)) for score in scores]
            mixed += [sum(share * values[p][group][i] for p, share in enumerate(shares)) / sum(shares) for i in range(HEAD)]
        outputs.append(times(weights[f"{name}o_proj.weight"], mixed))
    return outputs


def experts(x, weights, name, margins):
    scores = [sigmoid(logit) for logit in times(weights[f"{name}gate.weight"], x)]
    biased = [score + bias for score, bias in zip(scores, weights[f"{name}e_score_correction_bias"])]
    order = sorted(range(EXPERTS), key=lambda expert: -biased[expert])
    margins.append(biased[order[TOP - 1]] - biased[order[TOP]])
    total = sum(scores[expert] for expert in order[:TOP])
    output = [0.0] * HIDDEN
    for expert in order[:TOP]:
        gate, down, up = (weights[f"{name}experts.{expert}.{projection}.weight"] for projection in ("w1", "w2", "w3"))
        inner = [g * sigmoid(g) * u for g, u in zip(times(gate, x), times(up, x))]
        output = [o + scores[expert] / total * d for o, d in zip(output, times(down, inner))]
    return output


def forward(tokens, weights, margins):
    hidden = [weights["model.embed_tokens.weight"][token] for token in tokens]
    for layer in range(CONFIG["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        attended = attention([norm(x, weights[f"{name}input_layernorm.weight"]) for x in hidden], weights, f"{name}self_attn.")
        hidden = [[a + b for a, b in zip(x, y)] for x, y in zip(hidden, attended)]
        computed = [experts(norm(x, weights[f"{name}post_attention_layernorm.weight"]), weights, f"{name}block_sparse_moe.", margins) for x in hidden]
        hidden = [[a + b for a, b in zip(x, y)] for x, y in zip(hidden, computed)]
    return [times(weights["lm_head.weight"], norm(x, weights["model.norm.weight"])) for x in hidden]


def write_safetensors(path, weights):
    header, data = {}, b""
    for name, values in sorted(weights.items()):
        rows = values if isinstance(values[0], list) else [values]
        content = b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
        shape = [len(values), len(values[0])] if isinstance(values[0], list) else [len(values)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    weights, margins = make_weights(), []
    tokens = [[RANDOM.randrange(VOCABULARY) for _ in range(10)] for _ in range(2)]
    logits = [round(logit, 6) for row in tokens for position in forward(row, weights, margins) for logit in position]
    assert min(margins) > 1e-4, "an expert is chosen by less than float32 tells apart; take another seed"
    write_safetensors("model.safetensors", weights)
    with open("config.json", "w") as file:
        file.write(json.dumps(CONFIG, indent=1) + "\n")
    with open("expected.json", "w") as file:
        file.write(json.dumps({"tokens": tokens, "logits_shape": [2, 10, VOCABULARY], "logits": logits}) + "\n")
    print(f"smallest margin of a choice {min(margins):.5f}, logits from {min(logits):.2f} to {max(logits):.2f}")


if __name__ == "__main__":
    main()
