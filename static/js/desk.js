// The personal part of the page: fetched by each person, and never taken from under a half-typed word.
export class Desk {
  constructor(url, onAgain) {
    this.url = url;
    this.wanted = ""; // the newest state of it, as the stream told it
    this.bar = document.getElementById("changed");
    this.bar.querySelector("button").addEventListener("click", () => this.refresh());
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
    const parts = ["desk", "actions", "people"].map((id) => document.getElementById(id)).filter(Boolean);
    return parts.some((part) => part.querySelector("details.ask[open]") || [...part.querySelectorAll("textarea, input")].some(touched));
  }

  /** `key`: the state that it has to show; none: fetch it in any case. */
  refresh(key) {
    this.wanted = key ?? this.wanted;
    const shown = this.element.dataset.key;
    this.bar.hidden = !key || key === shown || !this.busy;
    if (!this.bar.hidden || (key && key === shown) || document.querySelector("#desk form[data-sent]")) return;
    htmx.ajax("GET", this.url, { target: "#desk", swap: "outerHTML" });
  }
}

function touched(field) {
  return field === document.activeElement || field.checked !== field.defaultChecked || field.value !== field.defaultValue;
}
