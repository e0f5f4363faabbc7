// What comes in is taken at once and drawn with the next frame, together; with the next frames, if it is much.

const SLICE = 6; // milliseconds of a frame

let now = 0; // on the program's clock, in seconds
let tick = 0;
let summary = null;
const dirty = new Set(); // sites to draw
let isFramePlanned = false;

function takeAll(all) {
  now = all.at;
  tick = all.tick;
  summary = all.summary;
  showHealth(all.health);
  showOmitted(all.omitted);
  const isSame = isSameList(all.sites);
  if (isSame) renewList(all.sites);
  else buildList(all.sites);
  dirty.clear();
  for (const site of sites) {
    site.troubles = troublesOf(site);
    dirty.add(site);
  }
  if (!isSame) sortList();
  plan();
}

function showOmitted(omitted) {
  const element = document.getElementById("omitted");
  element.hidden = omitted === 0;
  setText(element, plural(omitted, "more is not shown.", "more functions and checks are not shown."));
}

function takeTick(changes) {
  now = changes.at;
  tick = changes.tick;
  summary = changes.summary ?? summary;
  if (changes.health) showHealth(changes.health);
  sites.forEach((site, index) => {
    const { figures, point } = changes.sites[index] ?? {};
    if (figures) site.figures = figures;
    const isMoved = takePoint(site, point);
    if (figures || isMoved || site.figures.breaker) dirty.add(site);
  });
  plan();
}

function plan() {
  if (isFramePlanned) return;
  isFramePlanned = true;
  requestAnimationFrame(draw);
}

function draw() {
  isFramePlanned = false;
  const end = performance.now() + SLICE;
  for (const site of dirty) {
    drawSite(site, now);
    dirty.delete(site);
    if (performance.now() > end && dirty.size > 0) return plan(); // the rest with the next frames
  }
  filterList();
  settleList(tick);
  drawSummary();
}

function drawSummary() {
  const fields = fieldsOf(document.getElementById("summary"));
  const troubled = sites.filter((site) => site.troubles.length > 0).length;
  setField(fields.sites, summary.sites, count(summary.sites));
  setField(fields.rate, summary.recent.rate, perSecond(summary.recent.rate));
  setField(fields.calls, summary.calls, count(summary.calls));
  setField(fields.recent_error_rate, summary.recent.error_rate, percent(summary.recent.error_rate));
  setField(fields.error_rate, summary.error_rate, percent(summary.error_rate));
  setField(fields.in_flight, summary.in_flight, count(summary.in_flight));
  setField(fields.troubled, troubled, count(troubled));
  setAttribute(fields.troubled, "data-high", String(troubled > 0));
  document.getElementById("outdated").hidden = !summary.outdated;
  const title = (troubled > 0 ? troubled + " troubled · " : "") + location.host + " · hardening";
  if (document.title !== title) document.title = title;
}

function main() {
  document.getElementById("host").textContent = location.host;
  wireTheme();
  startTheme();
  wireList();
  connect();
}

document.addEventListener("DOMContentLoaded", main);
