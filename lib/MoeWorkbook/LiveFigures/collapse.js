start("collapse", function (place, data) {
  var highest = Math.max.apply(null, data.runs.flatMap(function (run) { return run.loads.flatMap(shares); }));
  var steps = player(place, data.steps.length - 1, 160, function (i) { return data.steps[i]; }, show);
  var panels = add(place, "div", { class: "panels" });
  var parts = data.runs.map(function (run) {
    var panel = add(panels, "div");
    add(add(panel, "p", {}), "b", {}, run.name);
    var bars = add(panel, "div", { class: "experts", role: "img" });
    bars.style.gridTemplateColumns = "repeat(" + run.loads[0].length + ", minmax(0, 1fr))";
    var columns = run.loads[0].map(function (_, e) {
      var one = add(bars, "span"), column = add(one, "span", { class: "column" }), inside = add(column, "span");
      add(one, "span", { class: "expert" }, e);
      inside.style.background = tint(e, 85);
      var mean = add(column, "i");
      mean.style.insetBlockEnd = 100 / run.loads[0].length / highest + "%";
      return inside;
    });
    return { bars: bars, columns: columns, numbers: add(panel, "p", { class: "numbers" }) };
  });

  function shares(load) {
    var total = sum(load);
    return load.map(function (count) { return total === 0 ? 0 : count / total; });
  }

  function measures(run, i) {
    var load = data.runs[run].loads[i], hardly = shares(load).filter(function (share) { return share < 0.1 / load.length; });
    return { maxViolation: maxViolation(load), hardlyUsed: hardly.length, loss: data.runs[run].losses[i] };
  }

  function show(i) {
    parts.forEach(function (part, run) {
      var now = measures(run, i);
      shares(data.runs[run].loads[i]).forEach(function (share, e) { part.columns[e].style.blockSize = 100 * share / highest + "%"; });
      part.bars.setAttribute("aria-label", "load of each expert: " + data.runs[run].loads[i].join(", "));
      clear(part.numbers);
      [["MaxVio", now.maxViolation.toFixed(2)], ["hardly used", now.hardlyUsed], ["loss", now.loss.toFixed(3)]].forEach(function (pair) {
        add(add(part.numbers, "span", {}, pair[0] + " "), "b", {}, pair[1]);
      });
    });
  }

  show(0);
  return { steps: steps, measures: measures };
});
