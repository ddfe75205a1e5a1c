start("follow-token", function (place, data) {
  var steps = player(place, data.steps.length - 1, 2500, function (step) { return (step + 1) + " of " + data.steps.length; }, show);
  var shown = add(place, "div", { "aria-live": "polite" });

  function show(step) {
    var now = data.steps[step];
    clear(shown);
    add(add(shown, "p", {}), "b", {}, now.title);
    add(shown, "p", { class: "quiet" }, now.text);
    now.rows.forEach(function (row) {
      var line = add(shown, "div", { class: "row" });
      add(line, "span", { class: "name" }, row.name);
      var cells = add(line, "span", { class: "cells" });
      row.numbers.forEach(function (number, i) {
        var share = Math.min(1, Math.abs(number) / row.largest), marked = row.marked.includes(i);
        var cell = add(cells, "span", { class: marked ? "value marked" : "value" }, row.whole ? number : number.toFixed(2));
        cell.style.background = row.whole ? "none" : tint(number < 0 ? 4 : 3, Math.round(70 * share));
      });
    });
  }

  show(0);
  return { steps: steps };
});
