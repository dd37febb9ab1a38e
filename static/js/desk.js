// The personal part of the page: fetched by each person, and never taken from under a half-typed word.
import { ACTIVE } from "./parts.js";

const AGAIN = 2_000; // ms

export class Desk {
  constructor(url, onAgain) {
    this.url = url;
    this.wanted = ""; // the newest state of it, as the stream told it
    this.bar = document.getElementById("changed");
    this.bar.querySelector("button").addEventListener("click", () => this.refresh());
    this.open = null; // the panel that is open while the part is replaced
    this.held = null; // the control that has the focus meanwhile
    document.addEventListener("htmx:beforeSwap", (event) => {
      if (event.detail.requestConfig.verb === "get") this.open = opened();
    });
    // The second of two answers finds the first in its place: of it, only the parts out of band are heard of.
    for (const name of ["beforeSwap", "oobBeforeSwap"]) {
      document.addEventListener(`htmx:${name}`, () => (this.held = held() ?? this.held));
    }
    document.addEventListener("htmx:afterSettle", () => {
      this.reopen();
      this.refocus();
    });
    for (const name of ["sendError", "responseError", "timeout"]) {
      document.addEventListener(`htmx:${name}`, (event) => this.missed(event.detail));
    }
    // Whoever closes a panel has left it: what waited for that can be shown.
    document.addEventListener("toggle", (event) => !event.target.open && this.wanted && this.refresh(this.wanted), true);
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target.id === "desk" && this.wanted) this.refresh(this.wanted);
    });
    document.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.requestConfig?.verb !== "post") return;
      if (event.detail.xhr.status === 409) this.busy ? (this.bar.hidden = false) : this.refresh();
      else if (event.detail.successful) onAgain();
    });
  }

  get element() {
    return document.getElementById("desk");
  }

  /** Somebody writes or chooses in it. */
  get busy() {
    return parts().some((part) => [...part.querySelectorAll("textarea, input, select")].some(touched));
  }

  /** A panel in which nobody has written yet holds nothing back: it is open again in what came. */
  reopen() {
    const { open } = this;
    this.open = null;
    if (!open || open.element.isConnected) return;
    const same = asks().find((ask) => nameOf(ask) === open.name);
    if (same) same.open = true;
  }

  /** The focus goes to the same control, else to the one in its place, else to how the step stands now. */
  refocus() {
    const { held } = this;
    this.held = null;
    if (!held || held.element.isConnected || document.activeElement !== document.body) return;
    const controls = controlsOf(document.getElementById(held.part));
    const next = controls.find((one) => wordsOf(one) === held.words) ?? controls[Math.min(held.index, controls.length - 1)];
    (next ?? document.getElementById("heading"))?.focus({ preventScroll: true });
  }

  /** `key`: the state that it has to show; none: fetch it in any case. */
  refresh(key) {
    this.wanted = key ?? this.wanted;
    const shown = this.element.dataset.key;
    this.bar.hidden = !key || key === shown || !this.busy;
    if (!this.bar.hidden || (key && key === shown) || document.querySelector("#desk form[data-sent], #after form[data-sent]")) return;
    htmx.ajax("GET", this.url, { target: "#desk", swap: "outerHTML" }).catch(() => {}); // `missed` has heard of it
  }

  /** What did not come is asked for again: the stream may tell nothing new for long. */
  missed(detail) {
    if (detail.requestConfig?.verb !== "get" || detail.target?.id !== "desk") return;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.refresh(this.wanted), AGAIN);
  }
}

const parts = () => ["desk", "actions", "people", "after"].map((id) => document.getElementById(id)).filter(Boolean);
const asks = () => parts().flatMap((part) => [...part.querySelectorAll("details.ask")]);
const nameOf = (ask) => ask.querySelector("summary").textContent;
const wordsOf = (control) => control.textContent.trim() || control.name;
const controlsOf = (part) => (part ? [...part.querySelectorAll(ACTIVE)].filter((one) => one.checkVisibility()) : []);

function opened() {
  const element = asks().find((ask) => ask.open);
  return element && { element, name: nameOf(element) };
}

function held() {
  const element = document.activeElement;
  const part = [...parts(), document.getElementById("note-form")].find((one) => one?.contains(element));
  return part && { element, part: part.id, words: wordsOf(element), index: controlsOf(part).indexOf(element) };
}

function touched(field) {
  if (field === document.activeElement) return true;
  if (field.tagName === "SELECT") return field.selectedIndex > 0;
  return field.checked !== field.defaultChecked || field.value !== field.defaultValue;
}
