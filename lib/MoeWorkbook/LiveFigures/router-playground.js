start("router-playground", function (place, data) {
  var kinds = [["softmax", true], ["softmax", false], ["sigmoid", true]], draw = 0, experts = data.experts;
  var row = add(place, "div", { class: "controls" });
  var kind = choice(row, "weights", ["softmax over the chosen", "softmax over all", "sigmoid, divided by the sum"], show);
  var k = slider(row, "k", [1, experts, 1, 2], String, show);
  var temperature = slider(row, "temperature", [0.2, 4, 0.1, 1], oneDigit, show);
  var noise = slider(row, "noise", [0, 3, 0.1, 0], oneDigit, show);
  button(row, "draw other noise", function () { draw = (draw + 1) % data.noise.length; show(); });
  var capacity = slider(row, "capacity factor", [0.25, 4, 0.05, 4], function (value) { return value.toFixed(2) + " → room for " + room(); }, show);

  var table = add(place, "table"), heads = add(table, "tr");
  add(heads, "th", { scope: "col" }, "logits of");
  for (var e = 0; e < experts; e++) add(heads, "th", { scope: "col" }, "expert " + e);
  var cells = data.tokens.map(function (token, t) {
    var line = add(table, "tr");
    add(line, "th", { scope: "row" }, token);
    return data.logits[t].map(function (logit, e) {
      var cell = add(line, "td");
      var input = add(cell, "input", {
        type: "range", min: -3, max: 3, step: 0.1, value: logit, "aria-label": "logit of “" + token + "” for expert " + e, input: show
      });
      return { cell: cell, input: input, says: add(cell, "span", { class: "says" }) };
    });
  });
  var loads = add(add(table, "tr"), "th", { scope: "row" }, "load").parentNode;
  var columns = data.logits[0].map(function () { return add(loads, "td"); });
  var numbers = add(place, "p", { class: "numbers", "aria-live": "polite" });

  function oneDigit(value) { return value.toFixed(1); }

  function room() { return capacity ? capacityOf(capacity.value(), data.tokens.length * k.value(), experts) : ""; }

  function state() {
    var logits = cells.map(function (line, t) {
      return line.map(function (one, e) { return (+one.input.value + noise.value() * data.noise[draw][t][e]) / temperature.value(); });
    });
    var how = kinds[kind.value()], tokens = logits.map(function (line) { return route(line, k.value(), how[0], how[1]); });
    var assignments = fill(queue(tokens, "position"), experts, room()), load = loadOf(assignments, experts);
    var dropped = assignments.filter(function (one) { return !one.kept; }).length;
    return { assignments: assignments, load: load, maxViolation: maxViolation(load), dropped: dropped };
  }

  function show() {
    capacity.set(capacity.value());
    var now = state();
    cells.forEach(function (line, t) {
      line.forEach(function (one, e) {
        var mine = now.assignments.find(function (assignment) { return assignment.token === t && assignment.expert === e; });
        one.cell.style.background = mine && mine.kept ? tint(e, 10 + 60 * mine.weight) : "none";
        one.says.className = mine ? mine.kept ? "says won" : "says lost" : "says";
        one.says.textContent = (+one.input.value).toFixed(1) + (mine ? mine.kept ? "\n× " + mine.weight.toFixed(2) : "\ndropped" : "");
      });
    });
    columns.forEach(function (column, e) {
      clear(column);
      bar(column, now.load[e] / data.tokens.length, e);
      add(column, "span", {}, now.load[e] > room() ? room() + " of " + now.load[e] : now.load[e]);
    });
    clear(numbers);
    [["assignments", now.assignments.length], ["dropped", now.dropped], ["MaxVio", now.maxViolation.toFixed(2)]].forEach(function (pair) {
      add(add(numbers, "span", {}, pair[0] + " "), "b", {}, pair[1]);
    });
  }

  show();
  return { state: state, kind: kind, k: k, temperature: temperature, noise: noise, capacity: capacity, cells: cells, show: show };
});
