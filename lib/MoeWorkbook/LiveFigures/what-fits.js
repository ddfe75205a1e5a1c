start("what-fits", function (place, data) {
  var row = add(place, "div", { class: "controls" });
  var model = choice(row, "model", data.models.map(function (one) { return one.name; }), show);
  var bits = choice(row, "bits of a weight", data.bits.map(String), show);
  var context = slider(row, "context", [8, 20, 1, 13], function (power) { return whole(Math.pow(2, power)) + " tokens"; }, show);
  var memory = slider(row, "memory", [3, 11, 0.25, 5], function (power) { return gigabytes(memoryAt(power)); }, show);
  var bandwidth = slider(row, "bandwidth", [5, 13, 0.25, 6], function (power) { return gigabytes(memoryAt(power)) + "/s"; }, show);
  var shown = add(place, "div", { "aria-live": "polite" });
  model.set(data.first);
  bits.set(data.bits.indexOf(16));

  function memoryAt(power) { return Math.round(Math.pow(2, power)) * 1e9; }

  function whole(number) { return number.toLocaleString("en-US"); }

  function gigabytes(bytes) {
    var size = bytes / 1e9;
    return (size >= 100 ? whole(Math.round(size)) : size.toFixed(size >= 10 ? 1 : 2)) + " GB";
  }

  // Bytes of the cache at 16 bits: each layer keeps so many numbers of a position, of at most so many positions.
  function cache(one, positions) {
    return one.cacheState + sum(one.cache.map(function (layers) {
      return layers.bytes * (layers.most === null ? positions : Math.min(positions, layers.most));
    }));
  }

  function bytes(parameters, each) { return Math.ceil(parameters * each / 8); }

  function numbers(which, each, positions, speed) {
    var one = data.models[which], kept = cache(one, positions);
    var held = bytes(one.total, each) + kept, read = bytes(one.read, each) + kept;
    return { held: held, cache: kept, read: read, perSecond: speed / read };
  }

  function line(name, share, text, colour) {
    var line = add(shown, "div", { class: "row" });
    add(line, "span", { class: "name" }, name);
    var track = add(line, "span", { class: "track" });
    bar(track, share, colour);
    add(track, "span", {}, text);
  }

  function show() {
    if (!shown) return;
    var each = data.bits[bits.value()], positions = Math.pow(2, context.value()), room = memoryAt(memory.value()), speed = memoryAt(bandwidth.value());
    var now = numbers(model.value(), each, positions, speed), fits = now.held <= room, most = Math.max(room, now.held);
    clear(shown);
    line("memory", room / most, gigabytes(room), 6);
    line("held", now.held / most, gigabytes(now.held) + (fits ? ": fits" : ": does not fit"), fits ? 2 : 1);
    line("of it cache", now.cache / most, gigabytes(now.cache), 0);
    line("read for one token", now.read / most, gigabytes(now.read), 3);
    var fitting = data.models.filter(function (_, i) { return numbers(i, each, positions, speed).held <= room; }).length;
    var says = add(shown, "p", { class: "numbers" });
    var rate = now.perSecond >= 10 ? whole(Math.round(now.perSecond)) : now.perSecond.toFixed(1);
    add(says, "b", {}, fits ? "at most " + rate + " tokens a second" : "no tokens: it does not fit");
    add(says, "span", {}, fitting + " of the " + data.models.length + " models fit into this memory");
  }

  show();
  return { numbers: numbers, model: model, bits: bits, context: context, memory: memory, bandwidth: bandwidth };
});
