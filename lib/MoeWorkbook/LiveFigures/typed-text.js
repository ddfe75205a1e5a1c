start("typed-text", function (place, data) {
  var model = languageModel(data), off = Array.from({ length: data.layers }, function () { return new Set(); });
  var positions = [], chosen = 0, timer = null;

  var box = labelled(place, "Your text, up to " + data.window + " bytes");
  var text = add(box.box, "textarea", { id: box.id, rows: 2, spellcheck: "false", input: typed });
  box.box.classList.add("typed");
  text.value = data.texts[0];
  var row = add(place, "div", { class: "controls" });
  var example = choice(row, "or one of the model's language", data.texts.map(function (one) { return one.replace(/\n/g, "↵"); }), function () {
    text.value = data.texts[example.value()];
    typed();
  });
  var write = button(row, "Let it write", function () { if (timer) pause(); else timer = setInterval(letter, 120); });
  var temperature = slider(row, "temperature", [0, 1.5, 0.1, 0], function (value) {
    return value === 0 ? "0 (likeliest)" : value.toFixed(1);
  }, function () { });
  var letters = add(place, "div", { class: "letters", role: "group", "aria-label": "the text; below each letter its expert in each layer", keydown: arrow });
  var details = add(place, "div");

  function name(byte) {
    if (byte === 256) return "end";
    if (byte === 10) return "↵";
    if (byte === 32) return "␣";
    return byte > 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(16).toUpperCase().padStart(2, "0");
  }

  // What did not change before the first different byte stays computed.
  function read(bytes) {
    var same = 0;
    while (same < positions.length && same < bytes.length && positions[same].token === bytes[same]) same++;
    positions.length = same;
    for (var i = same; i < bytes.length; i++) positions.push(model(bytes[i], positions, off));
  }

  function typed() {
    pause();
    var bytes = new TextEncoder().encode(text.value);
    if (bytes.length > data.window) {
      bytes = bytes.slice(0, data.window);
      text.value = new TextDecoder().decode(bytes).replace(/\ufffd+$/, "");
      bytes = new TextEncoder().encode(text.value);
    }
    read(bytes);
    chosen = positions.length - 1;
    show();
  }

  function likeliest(logits) {
    return topK(logits, 3).map(function (byte) { return { byte: byte, probability: softmax(logits)[byte] }; });
  }

  function pick(logits) {
    var t = temperature.value();
    if (t === 0) return topK(logits, 1)[0];
    var left = Math.random(), shares = softmax(Array.from(logits, function (logit) { return logit / t; }));
    return Math.max(0, shares.findIndex(function (share) { return (left -= share) < 0; }));
  }

  function letter() {
    if (!place.isConnected || positions.length === 0 || positions.length >= data.window) return pause();
    var byte = pick(positions[positions.length - 1].logits);
    if (byte >= 128) return pause(); // the end, or a byte that is no letter alone
    positions.push(model(byte, positions, off));
    text.value += String.fromCharCode(byte);
    chosen = positions.length - 1;
    show();
  }

  function pause() {
    clearInterval(timer);
    timer = null;
    write.textContent = "Let it write";
  }

  function arrow(event) {
    var to = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: positions.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= positions.length) return;
    event.preventDefault();
    look(to);
    letters.children[to].focus();
  }

  function look(position) {
    if (position === chosen) return;
    chosen = position;
    Array.from(letters.children).forEach(mark);
    showDetails();
  }

  function mark(cell, i) {
    cell.setAttribute("aria-pressed", i === chosen);
    cell.tabIndex = i === chosen ? 0 : -1;
  }

  function show() {
    if (timer) write.textContent = "Pause";
    clear(letters);
    positions.forEach(function (position, i) {
      var experts = position.layers.map(function (layer) { return layer.route.experts[0]; });
      var cell = button(letters, "", function () { look(i); });
      cell.addEventListener("mouseenter", function () { look(i); });
      cell.setAttribute("aria-label", name(position.token) + ": " + experts.map(function (e, l) { return "expert " + e + " in layer " + l; }).join(", "));
      add(cell, "b", {}, name(position.token));
      experts.forEach(function (e) { add(cell, "span", { style: "background:" + tint(e) }, e); });
      mark(cell, i);
    });
    showDetails();
  }

  function showDetails() {
    var focused = document.activeElement && document.activeElement.dataset.expert;
    clear(details);
    var position = positions[chosen];
    if (!position) return add(details, "p", {}, "Type a letter: there is nothing to route yet.");
    var next = add(details, "p", { class: "numbers" });
    add(next, "span", {}, "After “" + name(position.token) + "” most likely:");
    likeliest(position.logits).forEach(function (one) { add(next, "span", {}, "“" + name(one.byte) + "” " + percent(one.probability)); });
    position.layers.forEach(function (layer, l) {
      add(details, "p", { class: "quiet" }, "Router of layer " + l + " at this letter; press a bar to switch its expert off or on, for the whole text");
      var bars = add(details, "div", { class: "experts" });
      layer.route.scores.forEach(function (share, e) {
        var one = button(bars, "", function () { toggle(l, e); }), isOff = off[l].has(e);
        one.dataset.expert = l + "," + e;
        one.setAttribute("aria-pressed", !isOff);
        one.setAttribute("aria-label", "expert " + e + " of layer " + l + ", " + (isOff ? "off" : percent(share)));
        one.title = isOff ? "off" : percent(share);
        add(add(one, "span", { class: "column" }), "span", { style: "block-size:" + 100 * share + "%;background:" + tint(e, 85) });
        add(one, "span", { class: layer.route.experts.includes(e) ? "won" : "" }, isOff ? "×" : e);
        if (focused === one.dataset.expert) one.focus();
      });
    });
  }

  function percent(share) { return (100 * share).toFixed(1) + "%"; }

  function toggle(l, e) {
    if (!off[l].delete(e) && off[l].size < data.experts - data.expertsPerToken) off[l].add(e);
    var bytes = positions.map(function (position) { return position.token; });
    positions = [];
    read(bytes);
    show();
  }

  typed();
  return {
    type: function (value) { text.value = value; typed(); },
    read: function (bytes) {
      read(bytes);
      chosen = bytes.length - 1;
      show();
      return {
        logits: Array.from(positions[chosen].logits),
        experts: positions.map(function (position) { return position.layers.map(function (layer) { return layer.route.experts; }); })
      };
    },
    write: letter,
    text: text
  };
});
