// Keys of every page: Ctrl-K goes anywhere, ? lists the keys, two letters lead to a page.
// Whatever has data-keys is pressed by them; what a page has of its own is listed under "On this page".

const SINGLE = "single-keys"; // "off": a single key does nothing (WCAG 2.1.4)
const PATIENCE = 1000; // milliseconds between the first and the second key

const palette = document.getElementById("palette");
const sheet = document.getElementById("keys");
const field = document.getElementById("palette-field");
let first = "";
let timer = 0;

const singleKeys = () => localStorage.getItem(SINGLE) !== "off";
const options = () => [...palette.querySelectorAll("[role=option]")];
const chosen = () => palette.querySelector("[role=option][aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  field.setAttribute("aria-expanded", String(Boolean(option)));
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  return field.setAttribute("aria-activedescendant", option.id);
}

function openPalette() {
  if (palette.open) return field.select();
  sheet.close();
  palette.showModal();
  field.select();
  return field.dispatchEvent(new Event("opened"));
}

function openSheet() {
  const here = [...document.querySelectorAll("main [data-keys]")].filter((e) => e.offsetParent);
  const list = document.querySelector("#keys-here dl");
  list.replaceChildren(...here.map(row));
  document.getElementById("keys-here").hidden = here.length === 0;
  sheet.showModal();
  document.getElementById("keys-all").dispatchEvent(new Event("opened"));
}

function row(element) {
  const [line, what, keys] = ["div", "dt", "dd"].map((name) => document.createElement(name));
  what.textContent = element.getAttribute("aria-label") || element.textContent.trim();
  for (const key of element.dataset.keys.split(" ")) {
    keys.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
  }
  line.append(what, keys);
  return line;
}

function press(keys) {
  const found = [...document.querySelectorAll(`[data-keys="${CSS.escape(keys)}"]`)];
  const target = found.find((element) => element.offsetParent) ?? found[0];
  if (target) target.click();
  return Boolean(target);
}

function search() {
  const own = document.querySelector("main input[type=search]");
  if (own?.offsetParent) own.focus();
  else openPalette();
}

const typing = (target) =>
  target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openPalette();
  }
  const busy = document.querySelector("dialog[open]") || typing(event.target);
  if (busy || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return undefined;
  if (!singleKeys() || event.key.length !== 1 || event.key === " ") return undefined;
  const keys = first ? `${first} ${event.key}` : event.key;
  clearTimeout(timer);
  first = "";
  if (keys === "?") openSheet();
  else if (keys === "/") search();
  else if (keys === "g") {
    first = keys;
    timer = setTimeout(() => { first = ""; }, PATIENCE);
    return undefined;
  } else if (!press(keys)) return undefined;
  return event.preventDefault();
});

field.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.indexOf(chosen());
  const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at <= 0 ? all.length : at) - 1 }[event.key];
  if (to !== undefined && all.length) {
    event.preventDefault();
    choose(all[to]);
  } else if (event.key === "Enter" && chosen() && !event.isComposing) {
    event.preventDefault();
    chosen().click();
  }
});

document.getElementById("palette-found").addEventListener("htmx:afterSwap", () => {
  const all = options();
  choose(all[0]);
  document.getElementById("palette-count").textContent = `${all.length} found`;
});

// A press beside a dialog closes it.
for (const dialog of [palette, sheet]) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

for (const link of document.querySelectorAll("[data-palette]")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPalette();
  });
}

function remember(box) {
  box.checked = singleKeys();
  box.addEventListener("change", () => localStorage.setItem(SINGLE, box.checked ? "on" : "off"));
}
document.querySelectorAll("[data-single-keys]").forEach(remember);
document.getElementById("keys-all").addEventListener("htmx:afterSwap", (event) => {
  event.target.querySelectorAll("[data-single-keys]").forEach(remember);
});
