// What a row shows when it is opened: groups of terms and values.

const OUTCOMES = {
  success: "Success", error: "Error", rate_limited: "Rate limited", circuit_open: "Circuit open",
  bulkhead_full: "Bulkhead full", timed_out: "Timed out", load_failed: "Load failed",
  panicked: "Panicked", dropped: "Dropped by caller",
};

function groupsOf(site) {
  const { figures } = site;
  return [
    ["Calls by what they came to", outcomesOf(figures)],
    ["Work", workOf(figures)],
    ["Duration since start", durationsOf(figures.latency)],
    ["Circuit", figures.breaker && circuitOf(figures.breaker)],
    ["Limit", figures.limit && limitsOf(figures.limit)],
    ["Bulkhead", figures.queue && queueOf(figures.queue)],
    ["Cache", figures.cache && cacheOf(figures.cache)],
    ["Settings", site.layers.map((layer) => [titleOf(layer), settingsOf(layer)]), "wide"],
  ].filter(([, entries]) => entries && entries.length > 0);
}

function outcomesOf(figures) {
  return Object.entries(OUTCOMES).map(([kind, title]) => [title, count(figures.outcomes[kind] ?? 0)]);
}

function workOf(figures) {
  const { would_have: would = {}, retry_budget: budget } = figures;
  return [
    ["Attempts", count(figures.attempts)],
    ["Retries", count(figures.retries)],
    ["Fallbacks", count(figures.fallbacks)],
    ...(budget ? [["Retry budget left", count(budget.remaining)]] : []),
    ...(would.rate_limited ? [["Would have been limited", count(would.rate_limited)]] : []),
    ...(would.waited ? [["Would have waited", count(would.waited)]] : []),
    ...(would.circuit_open ? [["Would have met an open circuit", count(would.circuit_open)]] : []),
  ];
}

function durationsOf(latency) {
  return [
    ["Average", duration(latency.avg)],
    ["p50", duration(latency.p50)],
    ["p95", duration(latency.p95)],
    ["p99", duration(latency.p99)],
    ["Longest", duration(latency.max)],
  ];
}

function circuitOf(circuit) {
  return [
    ["Name", circuit.name],
    ["Forced", circuit.forced ? "yes" : "no"],
    ["Failures in a row", count(circuit.failures_in_a_row)],
    ["Opened", plural(circuit.opened, "time", "times")],
    ["Rejected", count(circuit.rejected)],
  ];
}

function limitsOf(limit) {
  const each = limit.each.map((one, index) => [
    "Limit " + (index + 1) + ", " + (one.scope === "key" ? "scarcest key" : "all together"),
    count(one.remaining) + " of " + count(one.capacity) + " in " + duration(one.window),
  ]);
  return [["Operation", limit.op], ...each, ["Keys", count(limit.keys)], ["Waiting", count(limit.waiting)]];
}

function queueOf(queue) {
  const { urgent, high, normal, low } = queue.queued;
  return [
    ["Name", queue.name],
    ["Running", count(queue.running) + " of " + count(queue.max_concurrent)],
    ["Waiting", queuedIn(queue) + " of " + count(queue.max_queue)],
    ["Urgent, high, normal, low", [urgent, high, normal, low].map(count).join(", ")],
    ["Rejected", count(queue.rejected)],
  ];
}

function cacheOf(cache) {
  return [
    ["Name", cache.name],
    ["Hits", count(cache.hits)],
    ["Misses", count(cache.misses)],
    ["Served stale", count(cache.stale)],
    ["Shared a run", count(cache.coalesced)],
    ["Entries", count(cache.entries) + " of " + count(cache.max_entries)],
    ["Put out for room", count(cache.evicted)],
  ];
}

function titleOf(layer) {
  const policy = layer.policy ? " (" + layer.policy + ")" : "";
  const state = !layer.enabled ? ", switched off" : layer.observe ? ", only observes" : "";
  return "#[" + layer.attribute + "]" + policy + state;
}

function settingsOf(layer) {
  const told = layer.settings.filter(([key, value]) => value !== "null" && key !== "enabled");
  return told.map(([key, value]) => key + " " + value).join(" · ") || "no settings";
}

// Builds the groups, or writes into those that are there.
function showDetail(site) {
  const groups = groupsOf(site);
  const shape = groups.map(([title, entries]) => title + entries.map(([term]) => term)).join();
  if (site.shape !== shape) {
    site.detail.replaceChildren(...groups.map(buildGroup));
    site.shape = shape;
    site.values = [...site.detail.querySelectorAll("dd")];
  }
  groups.flatMap(([, entries]) => entries).forEach(([, value], index) => {
    setAttribute(site.values[index], "data-nought", String(value === "0"));
    setText(site.values[index], value);
  });
}

function buildGroup([title, entries, width]) {
  const group = make("section", "group " + (width ?? ""));
  const list = make("dl");
  for (const [term] of entries) {
    const pair = make("div");
    pair.append(make("dt", "", term), make("dd"));
    list.append(pair);
  }
  group.append(make("h3", "", title), list);
  return group;
}

