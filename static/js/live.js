// Keeps the pages of executions and approvals moving. The server renders; this puts things in place.
import { setClock, stopClock, tick } from "./clock.js";
import { offerCopies } from "./copying.js";
import { Desk } from "./desk.js";
import { Notifier } from "./notify.js";
import { layOver } from "./over.js";
import { put } from "./parts.js";
import { Search } from "./search.js";
import { Connection } from "./stream.js";
import { Terminal } from "./terminal.js";

const root = document.getElementById("live");
const follows = "follow" in root.dataset; // the running step, whichever that is
const output = document.getElementById("term");
let step = root.dataset.step ?? "";
let announced = "";
let label = document.title.replace(/: .*/, "");
let stale = false;

const urlOf = (id) => root.dataset.steps.replace("/-/", `/${id}/`);
const terminal = output && new Terminal(output, { url: urlOf(step), onGap: () => connection.resync() });
const notifier = new Notifier(document.getElementById("notify"), document.title.replace(/^.*?: /, ""));
// An execution that was over may go on: a rollback.
const desk = new Desk(root.dataset.controls, () => connection.over && connection.resync());
const connection = new Connection(root, document.getElementById("badge"), {
  snapshot,
  onMode,
  handlers: {
    output: (data) => data.step === step && terminal?.add(data),
    state: applyState,
    controls: (data) => desk.refresh(data.key),
    beat: (data) => setClock(data.now),
  },
});

/** Everything that moves, read at once; null if there is nothing new. */
async function snapshot(fields) {
  const query = new URLSearchParams({ ...fields, ...(step && !follows ? { step } : {}) });
  const response = await fetch(`${root.dataset.snapshot}?${query}`, { headers: { Accept: "application/json" } });
  if (response.status === 401 || response.status === 404) location.reload();
  if (!response.ok) throw new Error(`snapshot: ${response.status}`);
  if (response.status === 204) return null;
  const data = await response.json();
  applyState(data);
  terminal?.replace(data.terminal);
  desk.refresh(data.controls);
  return data;
}

/** What nobody has heard of for a while is shown as it was then: no clock goes on from it, no title claims it. */
function onMode(mode, heard) {
  stale = mode === "stale";
  notifier.rest(mode === "finished");
  stopClock(stale ? heard : 0);
  document.body.toggleAttribute("data-stale", stale);
  if (mode === "live" || mode === "polling") document.dispatchEvent(new Event("answered"));
  entitle();
}

function entitle() {
  const title = document.title.replace(/^.*?: /, "");
  document.title = `${stale ? "Stale" : label}: ${title}`;
}

function applyState(data) {
  setClock(data.now);
  label = data.label;
  document.title = `${label}: ${data.title}`;
  if (stale) entitle();
  document.querySelector("link[rel=icon]").href = root.getAttribute(`data-icon-${data.tone}`);
  if (follows && data.focus && data.focus !== step) select(data);
  else if (terminal && !terminal.pinned && data.focus === step && data.attempt && data.attempt !== terminal.attempt) terminal.reset(data.attempt);
  if (terminal && data.focus === step) offer(data.hasOutput);
  for (const [name, html] of Object.entries(data.fragments)) put(name, html);
  markSelected();
  announce(data.label);
}

/** Another step is the running one. */
function select(data) {
  step = data.focus;
  for (const name of ["heading", "panel"]) document.getElementById(name)?.setAttribute("data-part", `${name}-${step}`);
  if (!terminal) return;
  terminal.reset(data.attempt, urlOf(step));
  offer(data.hasOutput);
}

/** The output of the step, and its files: there are none before it has one. */
function offer(hasOutput) {
  terminal.element.hidden = !hasOutput;
  if (!hasOutput || terminal.pinned) return;
  document.getElementById("raw").href = `${urlOf(step)}output/`;
  document.getElementById("clean").href = `${urlOf(step)}output/?as=text`;
}

function markSelected() {
  for (const link of document.querySelectorAll(".rail a[data-step]")) {
    link.classList.toggle("selected", link.dataset.step === step);
  }
}

/** To those who do not see it: the state and the step, once when they change, and never the output. */
function announce(label) {
  const place = document.querySelector("[data-part=place]")?.textContent.trim() ?? "";
  const words = `${label}. ${place}`;
  if (announced && announced !== words) document.getElementById("announce").textContent = words;
  announced = words;
}

if (terminal) {
  offerCopies(terminal);
  new Search(document.getElementById("find"), terminal);
}
document.addEventListener("htmx:afterSettle", () => notifier.tell(desk.element?.dataset.needs ?? ""));
notifier.tell(desk.element?.dataset.needs ?? "");
layOver(document.querySelector(".told"));
setClock(Number(root.dataset.now));
setInterval(tick, 1_000);
markSelected();
connection.connect();
