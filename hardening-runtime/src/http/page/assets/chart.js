// A minute as a line: one path, whose `d` is written when it changed.

const POINTS = 60;
const HEIGHT = 20;
const CHARTS = {
  rate: { title: "Rate", index: 0, write: perSecond, least: 1 },
  errors: { title: "Errors", index: 1, write: perSecond, least: 1 },
  p95: { title: "p95", index: 2, write: duration, least: 0.001 },
};

function chartsOf(parent) {
  const all = [...parent.querySelectorAll("[data-chart]")];
  return all.map((svg) => ({ svg, path: svg.firstElementChild, kind: CHARTS[svg.dataset.chart] }));
}

function drawChart(chart, history) {
  const { index, least } = chart.kind;
  const highest = history.reduce((most, point) => Math.max(most, point[index] ?? 0), 0);
  setAttribute(chart.path, "d", pathOf(history, index, Math.max(highest, least)));
  setAttribute(chart.svg, "aria-label", describeChart(chart.kind, history, highest));
}

// The last point is at the right edge; a second without a value (no calls, no p95) is a gap.
function pathOf(history, index, scale) {
  const left = POINTS - history.length;
  let path = "";
  let isDrawing = false;
  for (let second = 0; second < history.length; second++) {
    const value = history[second][index];
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = left + second;
    const y = (HEIGHT - (value / scale) * HEIGHT).toFixed(1);
    if (isDrawing) path += "L" + x + " " + y;
    else path += "M" + x + " " + y + "h0"; // a point alone is a dot
    isDrawing = true;
  }
  return path;
}

function describeChart(kind, history, highest) {
  const last = history.length ? history[history.length - 1][kind.index] : null;
  const now = last === null ? "no calls" : kind.write(last);
  return kind.title + " of the last minute: now " + now + ", at most " + kind.write(highest);
}

