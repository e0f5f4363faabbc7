// A minute as an area: one path, whose `d` is written when it changed.

const POINTS = 60;
const HEIGHT = 20;
const FLOOR = HEIGHT + 2; // below the edge, where its stroke is not seen
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
  setAttribute(chart.svg, "data-flat", String(highest === 0));
  setAttribute(chart.path, "d", pathOf(history, index, Math.max(highest, least)));
  setAttribute(chart.svg, "aria-label", describeChart(chart.kind, history, highest));
}

// An area under a line. The last point is at the right edge; a second without a value (no calls, no p95) is a gap.
function pathOf(history, index, scale) {
  let path = "";
  let area = [];
  history.forEach((point, second) => {
    const value = point[index];
    if (value === null) {
      path += closed(area);
      area = [];
    } else {
      area.push([POINTS - history.length + second, (HEIGHT - (value / scale) * (HEIGHT - 1)).toFixed(1)]);
    }
  });
  return path + closed(area);
}

// The line down to the floor on both sides, which at the edges of the chart is out of sight.
function closed(area) {
  if (area.length === 0) return "";
  const [firstX, firstY] = area[0];
  const [lastX, lastY] = area[area.length - 1];
  const left = firstX === 0 ? -2 : firstX;
  const right = lastX === POINTS - 1 ? POINTS + 1 : lastX;
  const line = area.map(([x, y]) => "L" + x + " " + y).join("");
  return "M" + left + " " + FLOOR + "V" + firstY + line + "L" + right + " " + lastY + "V" + FLOOR;
}

function describeChart(kind, history, highest) {
  const last = history.length ? history[history.length - 1][kind.index] : null;
  const now = last === null ? "no calls" : kind.write(last);
  return kind.title + " of the last minute: now " + now + ", at most " + kind.write(highest);
}

