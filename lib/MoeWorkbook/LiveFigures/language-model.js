// A small Mixture of Experts on bytes: one position at a time, beside the keys and values of those before it.
function languageModel(data) {
  var bytes = Uint8Array.from(atob(data.weights), function (c) { return c.charCodeAt(0); });
  var all = new Float32Array(bytes.buffer), size = data.hidden, headSize = data.headSize;

  function weight(name) {
    var place = data.tensors[name];
    return all.subarray(place[0], place[0] + place[1]);
  }

  var layers = Array.from({ length: data.layers }, function (_, l) {
    function of(name) { return weight("model.layers." + l + "." + name); }
    return {
      attentionNorm: of("input_layernorm.weight"), queryNorm: of("self_attn.q_norm.weight"), keyNorm: of("self_attn.k_norm.weight"),
      query: of("self_attn.q_proj.weight"), key: of("self_attn.k_proj.weight"), value: of("self_attn.v_proj.weight"), output: of("self_attn.o_proj.weight"),
      expertNorm: of("post_attention_layernorm.weight"), router: of("mlp.gate.weight"),
      gateUp: of("mlp.experts.gate_up_proj"), down: of("mlp.experts.down_proj")
    };
  });
  var embedding = weight("model.embed_tokens.weight"), finalNorm = weight("model.norm.weight"), head = weight("lm_head.weight");

  // Rows of a matrix [outputs, inputs], times x.
  function times(matrix, x, first, rows) {
    var product = new Float64Array(rows);
    for (var row = 0, at = first * x.length; row < rows; row++)
      for (var i = 0; i < x.length; i++) product[row] += matrix[at++] * x[i];
    return product;
  }

  function plus(a, b, scale) {
    return a.map(function (value, i) { return value + scale * b[i]; });
  }

  function norm(x, gain) {
    var square = 0;
    for (var i = 0; i < x.length; i++) square += x[i] * x[i];
    var scale = 1 / Math.sqrt(square / x.length + data.epsilon);
    return x.map(function (value, i) { return value * scale * gain[i]; });
  }

  // Pair i of a head is elements i and i + half.
  function rotate(x, position) {
    var half = headSize / 2, turned = new Float64Array(x.length);
    for (var start = 0; start < x.length; start += headSize)
      for (var i = 0; i < half; i++) {
        var angle = position * Math.pow(data.rotaryBase, -i / half), cos = Math.cos(angle), sin = Math.sin(angle), a = x[start + i], b = x[start + i + half];
        turned[start + i] = a * cos - b * sin;
        turned[start + i + half] = b * cos + a * sin;
      }
    return turned;
  }

  // past: what this layer keeps of the positions up to this one.
  function attend(query, past) {
    var mixed = new Float64Array(query.length);
    for (var start = 0; start < query.length; start += headSize) {
      var shares = softmax(past.map(function (position) {
        var product = 0;
        for (var i = start; i < start + headSize; i++) product += query[i] * position.key[i];
        return product / Math.sqrt(headSize);
      }));
      past.forEach(function (position, p) {
        for (var i = start; i < start + headSize; i++) mixed[i] += shares[p] * position.value[i];
      });
    }
    return mixed;
  }

  function expert(layer, e, x) {
    var width = data.intermediate, both = times(layer.gateUp, x, e * 2 * width, 2 * width);
    var inner = both.subarray(0, width).map(function (gate, i) { return gate / (1 + Math.exp(-gate)) * both[width + i]; });
    return times(layer.down, inner, e * size, size);
  }

  // The next position, after others; off[layer] are the experts that nobody may choose.
  return function (token, before, off) {
    var hidden = Float64Array.from(embedding.subarray(token * size, (token + 1) * size));
    var kept = layers.map(function (layer, l) {
      var x = norm(hidden, layer.attentionNorm), position = before.length;
      var one = {
        key: rotate(norm(times(layer.key, x, 0, size), layer.keyNorm), position),
        value: times(layer.value, x, 0, size)
      };
      var query = rotate(norm(times(layer.query, x, 0, size), layer.queryNorm), position);
      var past = before.map(function (earlier) { return earlier.layers[l]; }).concat(one);
      hidden = plus(hidden, times(layer.output, attend(query, past), 0, size), 1);

      x = norm(hidden, layer.expertNorm);
      var logits = Array.from(times(layer.router, x, 0, data.experts), function (logit, e) { return off[l].has(e) ? -Infinity : logit; });
      one.route = route(logits, data.expertsPerToken, "softmax", data.normalized);
      one.route.experts.forEach(function (e, i) { hidden = plus(hidden, expert(layer, e, x), one.route.weights[i]); });
      return one;
    });
    return { token: token, layers: kept, logits: times(head, norm(hidden, finalNorm), 0, head.length / size) };
  };
}
