// Draws the figures of a page or notebook: those that are there, and those that come later, in whatever order.
(function () {
  function draw() {
    document.querySelectorAll("[data-figure]:not([data-drawn])").forEach(function (place) {
      var figure = JSON.parse(place.nextElementSibling.textContent);
      place.setAttribute("data-drawn", "");
      place.textContent = "";
      window.Plotly.newPlot(place, figure.data, figure.layout, figure.config);
    });
  }
  draw();
  new MutationObserver(draw).observe(document.documentElement, { childList: true, subtree: true });
})();
