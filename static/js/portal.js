// Small comforts of every page. Without this script everything still works.

// A second press of a button sends nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // One that changes nothing, and whose answer may be a download, can be sent again.
  if (form.method !== "post" || event.defaultPrevented || "again" in form.dataset) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button[type=submit]")) button.dataset.busy = "";
});

// Coming back with the browser's back button shows the page as it was: let it be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[data-busy]")) delete button.dataset.busy;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form");
  if (!form) return;
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[data-busy]")) delete button.dataset.busy;
});

// Times are in UTC; pointing at one tells it in the reader's own zone.
document.addEventListener("mouseover", (event) => {
  const time = event.target.closest?.("time[data-local]");
  if (!time || time.dataset.local) return;
  const local = new Date(time.dateTime);
  time.dataset.local = "done";
  time.title = `${time.title} · ${local.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })} here`;
});

// Planned times are also told by the reader's own clock, from the next page on.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`zone=${zone};`) && !document.cookie.endsWith(`zone=${zone}`)) {
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
}

// Any press outside closes the menu of the phone's bar.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".nav-more[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  const open = document.querySelector(".nav-more[open], details.ask[open]");
  if (open) {
    open.removeAttribute("open");
    open.querySelector("summary").focus();
  }
});

// What is wrong with a form is said in it, above its button; it is over when the form is sent again.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, requestConfig } = event.detail;
  const button = requestConfig.elt.querySelector?.("button[type=submit]");
  if (xhr.status !== 422 || target.id !== "notices" || !button) return;
  const place = Object.assign(document.createElement("div"), { className: "notices refusal", tabIndex: -1 });
  (button.closest(".row") ?? button).before(place);
  event.detail.target = place;
  event.detail.swapOverride = "innerHTML";
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.matches(".refusal")) event.detail.target.focus();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  for (const place of event.target.querySelectorAll?.(".refusal") ?? []) place.remove();
});
// What stood against an earlier press is over with one that worked, but for words that somebody may still copy.
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful || event.detail.requestConfig?.verb !== "post") return;
  for (const notice of document.querySelectorAll("#notices > [role=alert]")) {
    if (!notice.querySelector("textarea")) notice.remove();
  }
});

// A part that does not come for so long is given up, and is as good as refused.
const PATIENCE = 12_000; // ms
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "get") event.detail.timeout ||= PATIENCE;
});

// A part that could not be refreshed says so, once, until it can again. What was pressed is not tried again: it may have
// arrived, so its notice stays until somebody has looked and pressed.
const LOST = "The portal does not answer. What is shown may be old; it is tried again by itself.";
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const notices = document.getElementById("notices");
    if (!notices) return;
    const { verb, elt, triggeringEvent } = event.detail.requestConfig;
    if (verb === "post") {
      const button = triggeringEvent?.submitter ?? elt.querySelector("button[type=submit]");
      notices.querySelector("[data-unanswered]")?.remove();
      return notices.append(unanswered(button.textContent.trim()));
    }
    if (!streamed()) document.body.toggleAttribute("data-stale", true);
    if (notices.querySelector("[data-lost]")) return;
    const notice = waiting(LOST);
    notice.dataset.lost = "";
    notices.append(notice);
  });
}
function unanswered(name) {
  const notice = waiting(`“${name}” was not answered, and is not tried again by itself. When the portal answers, look whether it has happened, and press again if not.`);
  notice.setAttribute("role", "alert");
  notice.dataset.unanswered = "";
  return notice;
}
function waiting(text) {
  const notice = Object.assign(document.createElement("div"), { className: "notice wait" });
  notice.append(Object.assign(document.createElement("span"), { textContent: text }));
  return notice;
}
// A page with a stream knows by that how old it is.
const streamed = () => document.querySelector("[data-controls]") !== null;
for (const name of ["htmx:afterOnLoad", "answered"]) {
  document.addEventListener(name, () => {
    document.querySelector("#notices [data-lost]")?.remove();
    if (!streamed()) document.body.toggleAttribute("data-stale", false);
  });
}

// What is wrong with a field is told beside it while it is filled in, and told once; the field is marked with it.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.matches(".error") && target.textContent === fragment.textContent) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const error = event.detail.target;
  if (!error.matches?.(".field > .error")) return;
  const field = document.getElementById(error.id.replace(/-error$/, ""));
  if (error.textContent) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
});
