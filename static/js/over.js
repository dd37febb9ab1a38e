// What is told while the page moves lies over it: it can be put away, and keeps off the place where somebody is at work.
const NEAR = 48; // pixels around it

export function layOver(place) {
  const tidy = () => {
    for (const notice of place.querySelectorAll(".notice:not(:has(> .away))")) notice.append(button(notice));
    keepOff(place);
  };
  new MutationObserver(tidy).observe(place, { childList: true, subtree: true, attributeFilter: ["hidden"] });
  document.addEventListener("focusin", () => keepOff(place));
  tidy();
}

/** One that the page has from the beginning comes again when there is something new. */
function button(notice) {
  const away = Object.assign(document.createElement("button"), { type: "button", className: "away", textContent: "✕" });
  away.setAttribute("aria-label", "Put away");
  away.addEventListener("click", () => (notice.id ? (notice.hidden = true) : notice.remove()));
  return away;
}

function keepOff(place) {
  const active = document.activeElement;
  if (active === document.body || place.contains(active)) return;
  const high = active.getBoundingClientRect().bottom > innerHeight - place.offsetHeight - NEAR - 60;
  place.toggleAttribute("data-high", high);
}
