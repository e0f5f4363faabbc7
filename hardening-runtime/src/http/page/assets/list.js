// Which functions are shown, and in which order.

const ORDERS = {
  path: (site) => site.path,
  rate: (site) => site.figures.recent.rate,
  errors: (site) => site.figures.recent.error_rate,
  p95: (site) => site.figures.recent.p95 ?? 0,
};
// What decides between equals: the same since start.
const SINCE_START = {
  path: (site) => site.index,
  rate: (site) => site.figures.calls,
  errors: (site) => site.figures.error_rate,
  p95: (site) => site.figures.latency.p95,
};
const SETTLES_AFTER = 5; // seconds: rows that jump cannot be read

let sites = [];
let order = { by: "path", isDescending: false };
let words = [];
let isTroubledOnly = false;

function buildList(data) {
  for (const site of sites) site.row.remove();
  sites = data.map((site, index) => makeSite({ ...site, index }));
  document.getElementById("sites").append(...sites.map((site) => site.row));
}

// The same functions again, from a new stream: what is open stays open, and the focus where it is.
function renewList(data) {
  sites.forEach((site, index) => renewSite(site, data[index]));
}

// Whether `data` are the functions that are shown: then their rows can stay.
function isSameList(data) {
  const same = (site, index) => site.path === data[index].path && site.line === data[index].line;
  return sites.length === data.length && sites.every(same);
}

function compare(one, other) {
  const first = difference(ORDERS[order.by], one, other) || difference(SINCE_START[order.by], one, other);
  return (order.isDescending ? -first : first) || one.index - other.index;
}

function difference(of, one, other) {
  const [a, b] = [of(one), of(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

// Puts the rows in order, and touches only those that are out of place.
function sortList() {
  const table = document.getElementById("sites");
  let place = table.tHead.nextElementSibling;
  for (const { row } of [...sites].sort(compare)) {
    if (row === place) place = place.nextElementSibling;
    else table.insertBefore(row, place);
  }
}

// Sorts again by itself, unless somebody is at it: a row must not leave from under a hand.
function settleList(tick) {
  const isUsed = document.querySelector(".site:hover, .site:focus-within");
  if (order.by !== "path" && tick % SETTLES_AFTER === 0 && !isUsed) sortList();
}

function orderBy(by) {
  const isDescending = by === order.by ? !order.isDescending : by !== "path";
  order = { by, isDescending };
  for (const button of document.querySelectorAll("[data-sort]")) {
    const direction = button.dataset.sort !== by ? "none" : isDescending ? "descending" : "ascending";
    button.closest("th").setAttribute("aria-sort", direction);
  }
  sortList();
}

function isShown(site) {
  if (isTroubledOnly && site.troubles.length === 0) return false;
  const text = (site.path + " " + site.file).toLowerCase();
  return words.every((word) => text.includes(word));
}

function filterList() {
  let shown = 0;
  for (const site of sites) {
    const isIn = isShown(site);
    if (site.row.hidden === isIn) site.row.hidden = !isIn;
    if (isIn) shown++;
  }
  const isFiltered = words.length > 0 || isTroubledOnly;
  setText(document.getElementById("shown"), isFiltered ? shown + " of " + sites.length : "");
  document.getElementById("sites").hidden = sites.length === 0;
  document.getElementById("waiting").hidden = true;
  document.getElementById("no-sites").hidden = sites.length > 0;
  showNoMatch(sites.length > 0 && shown === 0);
}

function showNoMatch(isEmpty) {
  const element = document.getElementById("no-match");
  element.hidden = !isEmpty;
  const isFine = isTroubledOnly && words.length === 0;
  setText(element, isFine ? "No function is in trouble." : "No function matches the filter.");
}

// What was asked for is answered aloud; what changes by itself later is not.
function answerFilter() {
  filterList();
  setText(document.getElementById("said"), sites.filter((site) => !site.row.hidden).length + " of " + sites.length + " functions");
}

function wireList() {
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    answerFilter();
  });
  filter.form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("troubled").addEventListener("change", (event) => {
    isTroubledOnly = event.target.checked;
    answerFilter();
  });
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => orderBy(button.dataset.sort));
  }
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input:not([type=checkbox]), textarea, select");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    filter.focus();
  });
}

