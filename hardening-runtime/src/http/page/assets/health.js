// The health report, on top.

// A state in words; the style has a sign for each: it is never told by colour alone.
function setStatus(element, status) {
  setAttribute(element, "data-state", status);
  setText(element, status);
}

const checks = new Map(); // by name

function showHealth(health) {
  const names = Object.keys(health.checks);
  // Without checks nothing is known, and the report's "healthy" is not shown as if something were.
  document.getElementById("health").dataset.status = names.length > 0 ? health.overall_status : "";
  const overall = document.getElementById("overall");
  overall.hidden = names.length === 0;
  setStatus(overall, health.overall_status);
  document.getElementById("no-checks").hidden = names.length > 0;
  for (const [name, row] of checks) {
    if (!Object.hasOwn(health.checks, name)) {
      row.remove();
      checks.delete(name);
    }
  }
  for (const name of names) showCheck(name, health.checks[name]);
}

function showCheck(name, check) {
  if (!checks.has(name)) {
    const row = document.getElementById("check").content.cloneNode(true).firstElementChild;
    row.dataset.check = name;
    row.querySelector(".name").textContent = name;
    document.getElementById("checks").append(row);
    checks.set(name, row);
  }
  const row = checks.get(name);
  row.dataset.status = check.status;
  setStatus(row.querySelector(".status"), check.status);
  setText(row.querySelector(".facts"), factsOf(check));
  setText(row.querySelector(".message"), check.message ?? "");
}

function factsOf(check) {
  const facts = [check.check_type, check.duration_ms + " ms"];
  const failures = check.consecutive_failures;
  if (failures > 0) facts.push(plural(failures, "failure in a row", "failures in a row"));
  if (check.status !== "healthy") {
    facts.push(check.last_success ? "last success " + clockTime(new Date(check.last_success)) : "never succeeded");
  }
  return facts.join(" · ");
}

function clockTime(date) {
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

