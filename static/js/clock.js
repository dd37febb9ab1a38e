// Durations that go on and times that come, by the server's clock.
let ahead = 0; // milliseconds that the server's clock is ahead of ours

/** `now`: the server's time, in seconds since 1970. */
export function setClock(now) {
  ahead = now * 1000 - Date.now();
}

export function duration(seconds) {
  const parts = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  for (const [big, bigName, small, smallName] of parts) {
    if (seconds < big) continue;
    const rest = Math.floor((seconds % big) / small);
    return `${Math.floor(seconds / big)} ${bigName}` + (rest ? ` ${rest} ${smallName}` : "");
  }
  return `${Math.floor(seconds)} s`;
}

export function tick() {
  const now = Date.now() + ahead;
  for (const element of document.querySelectorAll("[data-since]")) tell(element, now - Date.parse(element.dataset.since));
  for (const element of document.querySelectorAll("[data-until]")) tell(element, Date.parse(element.dataset.until) - now);
}

function tell(element, milliseconds) {
  const text = duration(Math.max(0, milliseconds / 1000));
  if (element.textContent !== text) element.textContent = text;
}
