start("buffers", function (place, data) {
  var policies = ["position", "priority", "random"], experts = data.experts;
  var row = add(place, "div", { class: "controls" });
  var policy = choice(row, "who stays", ["by position", "batch-prioritised", "at random"], again);
  var factor = slider(row, "capacity factor", [0.25, 3, 0.05, data.factor], function (value) {
    return value.toFixed(2) + " → " + capacityAt(value) + " slots";
  }, again);
  var steps = player(place, data.tokens.length * data.tokens[0].experts.length, 350, function (step) { return step + " arrived"; }, show);
  var waiting = lane("waiting"), buffers = Array.from({ length: experts }, function (_, e) { return lane("expert " + e); });
  var residual = lane("residual lane"), numbers = add(place, "p", { class: "numbers", "aria-live": "polite" });
  var queued;

  function capacityAt(value) { return capacityOf(value, data.tokens.length * data.tokens[0].experts.length, experts); }

  function lane(name) {
    var line = add(place, "div", { class: "lane" });
    add(line, "span", { class: "name" }, name);
    return add(line, "span", { class: "slots" });
  }

  function chip(parent, assignment, last) {
    var text = assignment ? String(assignment.token) + (data.tokens[0].experts.length > 1 ? "′".repeat(assignment.choice) : "") : "";
    var element = add(parent, "span", { class: "chip" + (assignment ? "" : " empty") + (last ? " last" : "") }, text);
    if (assignment) {
      element.style.background = tint(assignment.expert);
      element.title = "token " + assignment.token + ", choice " + (assignment.choice + 1) + ", weight " + assignment.weight.toFixed(2);
    }
  }

  function again() {
    queued = fill(queue(data.tokens, policies[policy.value()], data.permutation), experts, capacityAt(factor.value()));
    steps.go(steps.step());
  }

  function counts(step) {
    var arrived = queued.slice(0, step), kept = arrived.filter(function (one) { return one.kept; });
    return {
      kept: kept.length, dropped: arrived.length - kept.length, padding: experts * capacityAt(factor.value()) - kept.length,
      unserved: data.tokens.filter(function (_, t) {
        return queued.every(function (one, i) { return one.token !== t || i < step && !one.kept; });
      }).length
    };
  }

  function show(step) {
    var arrived = queued.slice(0, step), slots = capacityAt(factor.value());
    clear(waiting);
    queued.slice(step).forEach(function (one) { chip(waiting, one); });
    buffers.forEach(function (buffer, e) {
      clear(buffer);
      var mine = arrived.filter(function (one) { return one.expert === e && one.kept; });
      for (var i = 0; i < slots; i++) chip(buffer, mine[i], mine[i] && mine[i] === arrived[step - 1]);
    });
    clear(residual);
    arrived.filter(function (one) { return !one.kept; }).forEach(function (one) { chip(residual, one, one === arrived[step - 1]); });
    var now = counts(step);
    clear(numbers);
    [["computed", now.kept], ["dropped", now.dropped], ["empty slots", now.padding], ["tokens without any expert", now.unserved]].forEach(function (pair) {
      add(add(numbers, "span", {}, pair[0] + " "), "b", {}, pair[1]);
    });
  }

  again();
  return {
    policy: policy, factor: factor, again: again, steps: steps, counts: counts,
    kept: function () { return queued.filter(function (one) { return one.kept; }).map(function (one) { return [one.token, one.choice]; }); }
  };
});
