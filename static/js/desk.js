// The personal part of the page: fetched by each person, and never taken from under a half-typed word.
const AGAIN = 2_000; // ms

export class Desk {
  constructor(url, onAgain) {
    this.url = url;
    this.wanted = ""; // the newest state of it, as the stream told it
    this.bar = document.getElementById("changed");
    this.bar.querySelector("button").addEventListener("click", () => this.refresh());
    this.open = null; // the panel that is open while the part is replaced
    document.addEventListener("htmx:beforeSwap", (event) => {
      if (event.detail.requestConfig.verb === "get") this.open = opened();
    });
    document.addEventListener("htmx:afterSettle", () => this.reopen());
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
    if (!same) return;
    same.open = true;
    if (open.focused) same.querySelector("summary").focus({ preventScroll: true });
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

function opened() {
  const element = asks().find((ask) => ask.open);
  return element && { element, name: nameOf(element), focused: element.contains(document.activeElement) };
}

function touched(field) {
  if (field === document.activeElement) return true;
  if (field.tagName === "SELECT") return field.selectedIndex > 0;
  return field.checked !== field.defaultChecked || field.value !== field.defaultValue;
}
