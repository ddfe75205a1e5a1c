// What every live figure uses: its start, its elements, sliders, choices and buttons, and a player of steps.

// Builds each figure of this name once, now or when it comes into the document; what build returns is the figure's "live".
function start(name, build) {
  function begin() {
    var found = document.querySelectorAll('figure[data-live="' + name + '"]:not([data-started])');
    found.forEach(function (figure) {
      figure.setAttribute("data-started", "");
      var place = figure.querySelector("[data-place]");
      place.textContent = "";
      figure.live = build(place, JSON.parse(figure.querySelector("script[type]").textContent));
    });
    return found.length > 0;
  }
  if (begin()) return;
  new MutationObserver(function (_, observer) {
    if (begin()) observer.disconnect();
  }).observe(document.documentElement, { childList: true, subtree: true });
}

var still = matchMedia("(prefers-reduced-motion: reduce)").matches;

// An element inside another; attributes that are functions listen.
function add(parent, tag, attributes, text) {
  var element = document.createElement(tag);
  Object.keys(attributes || {}).forEach(function (name) {
    var value = attributes[name];
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  });
  if (text !== undefined) element.textContent = text;
  if (parent) parent.append(element);
  return element;
}

function labelled(parent, text) {
  var box = add(parent, "div", { class: "control" }), id = "live-" + Math.random().toString(36).slice(2);
  add(box, "label", { for: id }, text);
  return { box: box, id: id };
}

// A slider with its value beside it; say(value) is the text, changed() is called whenever it moves. Its value() is a number.
function slider(parent, text, range, say, changed) {
  var part = labelled(parent, text);
  var input = add(part.box, "input", { type: "range", id: part.id, min: range[0], max: range[1], step: range[2], value: range[3] });
  var output = add(part.box, "output", { for: part.id });
  function show() {
    output.textContent = say(+input.value);
    input.setAttribute("aria-valuetext", output.textContent);
  }
  input.addEventListener("input", function () { show(); changed(); });
  show();
  return {
    input: input,
    value: function () { return +input.value; },
    set: function (value) { input.value = value; show(); }
  };
}

// A choice among texts; its value() is the number of the chosen one.
function choice(parent, text, options, changed) {
  var part = labelled(parent, text), select = add(part.box, "select", { id: part.id, change: changed });
  options.forEach(function (option, i) { add(select, "option", { value: i }, option); });
  return { value: function () { return +select.value; }, set: function (value) { select.value = value; } };
}

function button(parent, text, pressed) {
  return add(parent, "button", { type: "button", click: pressed }, text);
}

// Back, play, on, and a slider over the steps 0 to last; draw(step) shows one. Without motion there is no play.
function player(parent, last, milliseconds, say, draw) {
  var row = add(parent, "div", { class: "controls" }), timer = null;
  var back = button(row, "◀", function () { go(at.value() - 1); });
  var play = button(row, "Play", toggle);
  var on = button(row, "▶", function () { go(at.value() + 1); });
  back.setAttribute("aria-label", "one step back");
  on.setAttribute("aria-label", "one step on");
  play.hidden = still;
  var at = slider(row, "Step", [0, last, 1, 0], say, function () { pause(); draw(at.value()); });
  at.input.parentNode.classList.add("wide");
  function pause() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function go(step) {
    pause();
    show(step);
  }
  function show(step) {
    at.set(step);
    draw(at.value());
  }
  function toggle() {
    if (timer) return pause();
    if (at.value() >= last) show(0);
    play.textContent = "Pause";
    timer = setInterval(function () {
      if (!row.isConnected || at.value() >= last) pause();
      else show(at.value() + 1);
    }, milliseconds);
  }
  return { go: go, step: function () { return at.value(); } };
}

// A number from 0 on picks its colour; from 8 on the same colours are stronger.
function tint(number, strength) {
  return "color-mix(in srgb, var(--colour-" + number % 8 + ") " + (strength === undefined ? number % 16 < 8 ? 26 : 55 : strength) + "%, transparent)";
}

// A bar of a share from 0 to 1 of its place.
function bar(parent, share, number) {
  return add(parent, "span", { class: "bar", style: "inline-size:" + 100 * Math.min(1, share) + "%;background:" + tint(number, 75) });
}

function clear(element) {
  element.textContent = "";
  return element;
}
