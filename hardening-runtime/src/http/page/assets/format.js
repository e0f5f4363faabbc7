// Numbers as people read them, and the few ways in which the page is written to.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

function count(number) {
  return number < 1e6 ? whole.format(number) : short.format(number);
}

function perSecond(rate) {
  const few = rate < 9.95 && !Number.isInteger(rate);
  return (few ? rate.toFixed(rate < 0.095 ? 2 : 1) : count(rate)) + "/s";
}

function percent(ratio) {
  const value = ratio * 100;
  if (value === 0) return "0\u00a0%";
  if (value < 0.1) return "<\u00a00.1\u00a0%";
  return (value < 9.95 ? value.toFixed(1) : whole.format(value)) + "\u00a0%";
}

function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds === 0) return "0\u00a0ms";
  if (seconds < 0.001) return whole.format(seconds * 1e6) + "\u00a0µs";
  if (seconds < 0.00995) return (seconds * 1e3).toFixed(1) + "\u00a0ms";
  if (seconds < 0.9995) return whole.format(seconds * 1e3) + "\u00a0ms";
  if (seconds < 99.5) return seconds.toFixed(seconds < 9.995 ? 2 : 1) + "\u00a0s";
  return long(seconds);
}

// A time that passes, as "12 s", "3 min" or "2 h 5 min".
function long(seconds) {
  const rest = Math.max(0, Math.round(seconds));
  if (rest < 60) return rest + "\u00a0s";
  if (rest < 3600) return Math.floor(rest / 60) + "\u00a0min";
  return Math.floor(rest / 3600) + "\u00a0h " + (Math.floor(rest / 60) % 60) + "\u00a0min";
}

function plural(number, one, many) {
  return count(number) + " " + (number === 1 ? one : many);
}

// Only what is other than before is written: everything else keeps its layout.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function setField(element, value, text) {
  setAttribute(element, "data-value", value === null || value === undefined ? "" : String(value));
  setText(element, text);
}

// A long name, which may be broken where it has a joint.
function writeName(element, name) {
  const parts = name.split(/(?<=::|_|\/)/);
  element.replaceChildren(...parts.flatMap((part) => [part, document.createElement("wbr")]));
}

// The elements of `parent` that show a field, by its name.
function fieldsOf(parent) {
  const all = [...parent.querySelectorAll("[data-field]")];
  return Object.fromEntries(all.map((element) => [element.dataset.field, element]));
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

