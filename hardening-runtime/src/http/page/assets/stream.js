// The connection: server-sent events, each second one. A stream ends after a minute, which is no failure: the next is
// asked for at once, or when somebody looks at the page again.

const SILENCE = 5000; // milliseconds without an event: the stream is lost
const PATIENCE = 1000; // before the first new try; doubled up to
const LEAST_OFTEN = 15000;

let source = null;
let pause = PATIENCE;
let lastHeard = null; // when the last event came
let silence = null; // the timer that ends a stream of which nothing is heard

function connect() {
  source = new EventSource("hardening/events");
  source.addEventListener("all", (event) => hear(event, takeAll));
  source.addEventListener("tick", (event) => hear(event, takeTick));
  source.addEventListener("end", goOn);
  source.onerror = lose;
  listen();
}

function hear(event, take) {
  lastHeard = new Date();
  pause = PATIENCE;
  listen();
  take(JSON.parse(event.data));
  showConnection("live");
}

function listen() {
  clearTimeout(silence);
  silence = setTimeout(lose, SILENCE);
}

function disconnect() {
  clearTimeout(silence);
  source.close();
}

function goOn() {
  disconnect();
  if (!document.hidden) return connect();
  document.addEventListener("visibilitychange", connect, { once: true });
}

// The browser does not try again after a refusal (429, 503), and never knows of a silence; so we try, each time later.
function lose() {
  disconnect();
  showConnection("lost");
  setTimeout(connect, pause * (1 + Math.random() / 4));
  pause = Math.min(pause * 2, LEAST_OFTEN);
}

// Said when it changes, and not each second: it is read out.
function showConnection(state) {
  if (document.documentElement.dataset.connection === state) return;
  document.documentElement.dataset.connection = state;
  const words = { live: "live", connecting: "connecting", lost: "reconnecting" };
  setText(document.getElementById("connection-text"), words[state]);
  const lost = document.getElementById("lost");
  lost.hidden = state !== "lost";
  if (state === "lost") setText(lost, describeLoss());
}

function describeLoss() {
  if (!lastHeard) return "There is no connection to the program. Trying again …";
  return "Stream lost since " + clockTime(lastHeard) + ": what is shown is of then. Trying again …";
}

