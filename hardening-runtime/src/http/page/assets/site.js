// One annotated function: its row, and what is written into it.

const MOST_ERRORS = 0.01; // recently; more is trouble

// A site as it came, with the elements that show it.
function makeSite(data) {
  const row = document.getElementById("site").content.cloneNode(true).firstElementChild;
  const detail = row.querySelector(".detail td");
  const troublesText = row.querySelector(".troubles");
  const site = { ...data, row, detail, troublesText, fields: fieldsOf(row), charts: chartsOf(row) };
  renewSite(site, data);
  nameRow(site);
  row.querySelector("[data-details]").addEventListener("click", () => toggleDetail(site));
  return site;
}

function renewSite(site, { figures, history, layers }) {
  const before = Array.from({ length: POINTS - history.length }, idle);
  Object.assign(site, { figures, layers, history: before.concat(history) });
  site.quiet = history.length ? 0 : POINTS; // seconds without a call, up to a minute
  site.row.querySelector(".layers").replaceChildren(...layers.map(layerChip));
}

function idle() {
  return [0, 0, null];
}

function nameRow(site) {
  const { row, path } = site;
  const place = site.file + ":" + site.line;
  const end = path.lastIndexOf("::") + 2;
  row.dataset.site = path;
  row.id = "site-" + site.index;
  row.querySelector(".function").title = path + "\n" + place;
  writeName(row.querySelector(".module"), end > 1 ? path.slice(0, end) : "");
  writeName(row.querySelector(".name"), end > 1 ? path.slice(end) : path);
  writeName(row.querySelector(".place"), place);
  const button = row.querySelector("[data-details]");
  row.querySelector(".function").setAttribute("aria-label", path);
  button.setAttribute("aria-label", "Details of " + path);
  row.querySelector(".detail").id = "detail-" + site.index;
  button.setAttribute("aria-controls", "detail-" + site.index);
}

function layerChip(layer) {
  const chip = make("span", layer.enabled ? "chip" : "chip off", layer.attribute.replace("_", " "));
  if (!layer.enabled) chip.append(" off");
  else if (layer.observe) chip.append(" observes");
  return chip;
}

function toggleDetail(site) {
  const button = site.row.querySelector("[data-details]");
  const isOpen = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(isOpen));
  site.row.classList.toggle("open", isOpen);
  site.row.querySelector(".detail").hidden = !isOpen;
  site.isOpen = isOpen;
  if (isOpen) showDetail(site);
}

// Takes a second in. Says whether there is anything to draw.
function takePoint(site, point) {
  site.quiet = point ? 0 : site.quiet + 1;
  if (site.quiet > POINTS) return false; // the whole minute is idle already
  site.history.shift();
  site.history.push(point ?? idle());
  return true;
}

// What is wrong here just now, in words.
function troublesOf({ figures }) {
  const { breaker, limit, queue, recent } = figures;
  const troubles = [];
  if (breaker && breaker.state !== "closed") troubles.push("circuit " + breaker.state);
  if (recent.error_rate >= MOST_ERRORS) troubles.push("errors");
  if (limit && limit.remaining === 0) troubles.push("limit used up");
  if (queue && queue.running >= queue.max_concurrent && queuedIn(queue) > 0) troubles.push("calls wait");
  return troubles;
}

function queuedIn(queue) {
  const { urgent, high, normal, low } = queue.queued;
  return urgent + high + normal + low;
}

function drawSite(site, now) {
  const { figures, fields } = site;
  site.troubles = troublesOf(site);
  setAttribute(site.row, "data-troubled", String(site.troubles.length > 0));
  setText(site.troublesText, site.troubles.length ? "troubled: " + site.troubles.join(", ") : "");
  setField(fields.rate, figures.recent.rate, perSecond(figures.recent.rate));
  setField(fields.calls, figures.calls, count(figures.calls));
  setField(fields.in_flight, figures.in_flight, count(figures.in_flight));
  setField(fields.recent_error_rate, figures.recent.error_rate, percent(figures.recent.error_rate));
  setAttribute(fields.recent_error_rate, "data-high", String(figures.recent.error_rate >= MOST_ERRORS));
  setField(fields.errors, figures.errors, count(figures.errors));
  setField(fields.error_rate, figures.error_rate, percent(figures.error_rate));
  setField(fields.recent_p95, figures.recent.p95, duration(figures.recent.p95));
  setField(fields.p95, figures.latency.p95, duration(figures.latency.p95));
  drawBreaker(fields.breaker, figures.breaker, now);
  drawLimit(fields.limit, figures.limit, site.path);
  drawQueue(fields.queue, figures.queue);
  drawCache(fields.hit_rate, figures.cache);
  for (const chart of site.charts) drawChart(chart, site.history);
  if (site.isOpen) showDetail(site);
}

// A cell of a layer: none, or a value with a bar and a remark.
function drawLayer(field, value, text, fullness, isFull, remark) {
  const cell = field.parentElement;
  setAttribute(cell, "data-none", String(value === null));
  setField(field, value, text);
  setText(cell.querySelector(".since"), remark);
  const meter = cell.querySelector(".meter");
  if (meter) {
    setAttribute(meter, "data-full", String(isFull));
    const scale = "scaleX(" + Math.min(1, fullness).toFixed(3) + ")";
    const bar = meter.firstElementChild.style;
    if (bar.transform !== scale) bar.transform = scale;
  }
}

function drawNoLayer(field) {
  drawLayer(field, null, "–", 0, false, "");
}

function drawBreaker(field, breaker, now) {
  setAttribute(field, "data-state", breaker ? breaker.state : "");
  if (!breaker) return drawNoLayer(field);
  const text = breaker.forced ? breaker.state + ", forced" : breaker.state;
  drawLayer(field, breaker.state, text, 0, false, timesOf(breaker, now));
}

function timesOf(breaker, now) {
  const left = (breaker.until ?? now) - now;
  if (breaker.state === "open" && left > 0) return "a probe in " + long(left);
  if (breaker.state === "open") return "the next call is a probe";
  if (breaker.opened === 0) return "never opened";
  return "for " + long(now - breaker.since);
}

function drawLimit(field, limit, path) {
  if (!limit) return drawNoLayer(field);
  const text = count(limit.remaining) + " of " + count(limit.capacity) + " left";
  const remarks = limit.op === path ? [] : [limit.op]; // a limit of its own has no other name
  remarks.push(plural(limit.keys, "key", "keys"));
  if (limit.waiting > 0) remarks.push(plural(limit.waiting, "waits", "wait"));
  drawLayer(field, limit.remaining, text, limit.remaining / limit.capacity, limit.remaining === 0, remarks.join(", "));
}

function drawQueue(field, queue) {
  if (!queue) return drawNoLayer(field);
  const queued = queuedIn(queue);
  const isFull = queue.running >= queue.max_concurrent;
  const text = count(queue.running) + " of " + count(queue.max_concurrent) + " run";
  const remark = queued + " of " + count(queue.max_queue) + " wait";
  drawLayer(field, queued, text, queue.running / queue.max_concurrent, isFull, remark);
}

function drawCache(field, cache) {
  if (!cache) return drawNoLayer(field);
  const isUsed = cache.hits + cache.misses > 0;
  const text = isUsed ? percent(cache.hit_rate) + " hits" : "no look-ups";
  drawLayer(field, cache.hit_rate, text, cache.hit_rate, false, plural(cache.entries, "entry", "entries"));
}

