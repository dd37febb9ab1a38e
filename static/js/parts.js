// Puts new parts of the page in place, and leaves alone what a person is at: focus, open details, selected text.
import { tellHere } from "./zones.js";

export const ACTIVE = "a, button, summary, input, textarea, select, [tabindex]";

export function put(name, html) {
  for (const element of document.querySelectorAll(`[data-part="${name}"]`)) replace(element, html);
}

function replace(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  tellHere(template.content);
  if (sameButTime(element, template.content)) return;
  const focused = element.contains(document.activeElement) ? [...element.querySelectorAll(ACTIVE)].indexOf(document.activeElement) : -1;
  const open = [...element.querySelectorAll("details")].map((details) => details.open);
  const { scrollTop } = element.firstElementChild ?? {};
  element.replaceChildren(template.content);
  element.querySelectorAll("details").forEach((details, index) => (details.open = open[index] ?? details.open));
  if (scrollTop) element.firstElementChild.scrollTop = scrollTop;
  if (focused < 0) return;
  const actives = element.querySelectorAll(ACTIVE);
  actives[Math.min(focused, actives.length - 1)]?.focus({ preventScroll: true });
}

/** Times that go on differ at every look; for them alone nothing is replaced. */
function sameButTime(element, fresh) {
  const bare = (root) => {
    const copy = root.cloneNode(true);
    for (const time of copy.querySelectorAll("[data-since], [data-until]")) time.textContent = "";
    return [...copy.childNodes].map((node) => node.outerHTML ?? node.textContent).join("").trim();
  };
  return bare(element) === bare(fresh);
}
