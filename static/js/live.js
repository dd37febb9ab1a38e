// Keeps the pages of executions and approvals moving. The server renders; this puts things in place.
import { Terminal } from "./terminal.js";

const root = document.getElementById("live");
const STALE = 12_000; // milliseconds without a word from the server
const BACK_OFF = [500, 1_000, 2_000, 5_000, 10_000];
const POLL = 2_000;
const PATIENCE = 3; // failures before it polls
const TRY_STREAM = 30_000;

let position = root.dataset.position;
let over = "over" in root.dataset;
let step = root.dataset.step ?? "";
const follows = "follow" in root.dataset;
let clock = Number(root.dataset.now) * 1000 - Date.now(); // the server's clock minus ours
let source = null;
let polling = 0;
let failures = 0;
let heard = Date.now();
let mode = over ? "finished" : "catching up";
let waiting = 0; // the timer of the next attempt
let announced = "";
let wanted = ""; // the newest state of the personal part, as the stream told it

const terminal = document.getElementById("term") ? new Terminal(document.getElementById("term"), resync) : null;

// The connection

function connect() {
  disconnect();
  if (over || document.hidden) return;
  const stream = new EventSource(`${root.dataset.events}?after=${encodeURIComponent(position)}`);
  source = stream;
  const on = (name, act) =>
    stream.addEventListener(name, (event) => {
      if (source !== stream) return;
      heard = Date.now();
      failures = 0;
      if (event.lastEventId) position = event.lastEventId;
      act(JSON.parse(event.data || "{}"));
    });
  on("output", (data) => terminal && data.step === step && terminal.add(data));
  on("state", applyState);
  on("controls", (data) => refreshControls(data.key));
  on("mode", (data) => show(data.live ? "live" : "polling"));
  on("beat", (data) => {
    clock = data.now * 1000 - Date.now();
    if (mode === "stale") show("live");
  });
  on("reset", resync);
  on("end", finish);
  on("bye", () => location.reload());
  stream.onopen = () => {
    heard = Date.now();
    stopPolling(); // what the stream says of itself comes with its first event
  };
  stream.onerror = () => {
    if (source !== stream) return;
    show("catching up");
    if (stream.readyState === EventSource.CLOSED) fail();
  };
}

function disconnect() {
  clearTimeout(waiting);
  source?.close();
  source = null;
}

function fail() {
  disconnect();
  failures += 1;
  if (failures >= PATIENCE) startPolling();
  const pause = polling ? TRY_STREAM : BACK_OFF[Math.min(failures, BACK_OFF.length) - 1];
  waiting = setTimeout(connect, pause * (0.75 + Math.random() / 2));
}

function finish() {
  over = true;
  disconnect();
  stopPolling();
  show("finished");
}

// Reading everything anew: after a gap, a reset, or while there is no stream

async function snapshot(query) {
  if (step && !follows) query.set("step", step);
  const response = await fetch(`${root.dataset.snapshot}?${query}`, { headers: { Accept: "application/json" } });
  if (response.status === 401 || response.status === 404) location.reload();
  if (!response.ok) throw new Error(`snapshot: ${response.status}`);
  heard = Date.now();
  if (response.status === 204) return;
  const data = await response.json();
  position = String(data.position);
  over = data.over;
  applyState(data);
  terminal?.replace(data.terminal);
  refreshControls(data.controls);
}

function resync() {
  disconnect();
  if (!over) show("catching up");
  // Not all at once: whatever sent this page here has sent the others, too.
  waiting = setTimeout(async () => {
    try {
      await snapshot(new URLSearchParams());
      over ? finish() : connect();
    } catch {
      fail();
    }
  }, Math.random() * 500);
}

function startPolling() {
  if (polling) return;
  polling = setInterval(async () => {
    if (document.hidden) return;
    try {
      await snapshot(new URLSearchParams({ after: position }));
      over ? finish() : show("polling");
    } catch {
      // the badge tells since when nothing was heard
    }
  }, POLL);
}

function stopPolling() {
  clearInterval(polling);
  polling = 0;
}

// What moves

function applyState(data) {
  clock = data.now * 1000 - Date.now();
  document.title = `${data.label}: ${data.title}`;
  document.querySelector("link[rel=icon]").href = root.getAttribute(`data-icon-${data.tone}`);
  if (follows && data.focus && data.focus !== step) select(data);
  else if (terminal && data.focus === step && data.attempt && data.attempt !== terminal.attempt) terminal.begin(data.attempt);
  if (terminal && data.focus === step) terminal.element.hidden = !data.hasOutput;
  for (const [name, html] of Object.entries(data.fragments)) put(name, html);
  markSelected();
  const place = document.querySelector("[data-part=place]")?.textContent.trim() ?? "";
  const words = `${data.label}. ${place}`;
  if (announced && announced !== words) document.getElementById("announce").textContent = words;
  announced = words;
}

function select(data) {
  step = data.focus;
  const panel = document.getElementById("panel");
  if (panel) panel.dataset.part = `panel-${step}`;
  if (!terminal) return;
  terminal.begin(data.attempt);
  terminal.element.hidden = !data.hasOutput;
  document.getElementById("download").href = root.dataset.output.replace("/-/", `/${step}/`);
}

function put(name, html) {
  for (const element of document.querySelectorAll(`[data-part="${name}"]`)) {
    const focused = element.contains(document.activeElement);
    element.innerHTML = html;
    if (focused) element.querySelector("a, button, summary")?.focus({ preventScroll: true });
  }
}

function markSelected() {
  for (const link of document.querySelectorAll(".rail a[data-step]")) {
    link.classList.toggle("selected", link.dataset.step === step);
  }
}

// The personal part: fetched by each person, and never taken from under a half-typed word

function busy() {
  const parts = ["desk", "actions", "people"].map((id) => document.getElementById(id)).filter(Boolean);
  return parts.some(
    (part) =>
      part.querySelector("details.ask[open]") ||
      [...part.querySelectorAll("textarea, input")].some(
        (field) => field === document.activeElement || field.checked !== field.defaultChecked || field.value !== field.defaultValue,
      ),
  );
}

function refreshControls(key) {
  wanted = key ?? wanted;
  const bar = document.getElementById("changed");
  const shown = document.getElementById("desk").dataset.key;
  bar.hidden = !key || key === shown || !busy();
  if (!bar.hidden || (key && key === shown) || document.querySelector("#desk form[data-sent]")) return;
  htmx.ajax("GET", root.dataset.controls, { target: "#desk", swap: "outerHTML" });
}

document.getElementById("changed").querySelector("button").addEventListener("click", () => refreshControls());

document.addEventListener("htmx:afterSwap", (event) => event.detail.target.id === "desk" && wanted && refreshControls(wanted));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.verb !== "post") return;
  if (event.detail.xhr.status === 409) busy() ? (document.getElementById("changed").hidden = false) : refreshControls();
  else if (event.detail.successful && over) resync(); // an execution that was over may go on: a rollback
});

// How live the page is

function show(now) {
  mode = now;
  const badge = document.getElementById("badge");
  badge.dataset.mode = now;
  badge.textContent = now === "stale" ? `no word for ${Math.round((Date.now() - heard) / 1000)} s` : now;
}

function duration(seconds) {
  const parts = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  for (const [big, bigName, small, smallName] of parts) {
    if (seconds < big) continue;
    const rest = Math.floor((seconds % big) / small);
    return `${Math.floor(seconds / big)} ${bigName}` + (rest ? ` ${rest} ${smallName}` : "");
  }
  return `${Math.floor(seconds)} s`;
}

setInterval(() => {
  for (const element of document.querySelectorAll("[data-since]")) {
    element.textContent = duration(Math.max(0, (Date.now() + clock - Date.parse(element.dataset.since)) / 1000));
  }
  for (const element of document.querySelectorAll("[data-until]")) {
    element.textContent = duration(Math.max(0, (Date.parse(element.dataset.until) - Date.now() - clock) / 1000));
  }
  if (!over && !document.hidden && Date.now() > heard + STALE) show("stale");
}, 1_000);

// One stream per page, and none for a page that nobody sees: a browser has six connections for all its tabs

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return disconnect();
  if (!over) show("catching up");
  connect();
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => event.persisted && connect());

if (matchMedia("(max-width: 900px)").matches) {
  const rail = document.querySelector("details.rail");
  rail?.removeAttribute("open");
  rail?.classList.add("folded");
}
markSelected();
connect();
