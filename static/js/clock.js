// Durations that go on and times that come, by the server's clock.
let ahead = 0; // milliseconds that the server's clock is ahead of ours
let stopped = 0; // when nothing was heard any more, by our clock: durations go on from what is known alone

/** `now`: the server's time, in seconds since 1970. */
export function setClock(now) {
  ahead = now * 1000 - Date.now();
}

/** `at`: the moment at which durations stand still, by our clock; 0: they go on. */
export function stopClock(at) {
  stopped = at;
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
  const now = (stopped || Date.now()) + ahead;
  for (const element of document.querySelectorAll("[data-since]")) tell(element, now - Date.parse(element.dataset.since));
  for (const element of document.querySelectorAll("[data-until]")) tell(element, Date.parse(element.dataset.until) - now);
  for (const element of document.querySelectorAll("[data-left]")) {
    const [low, high] = element.dataset.left.split(" ").map((moment) => (Date.parse(moment) - now) / 1000);
    say(element, between(Math.max(0, low), high));
  }
  for (const element of document.querySelectorAll("[data-from]")) element.hidden = Date.parse(element.dataset.from) > now;
}

// The same words as those of the server, the lower end rounded down and the upper one up.
function between(low, high) {
  if (high <= 0) return "an unknown time"; // every past run was done by now
  const tens = Math.floor(low / 10) * 10;
  const last = Math.ceil(high / 10) * 10;
  if (high < 60) return tens && tens < last ? `${tens}–${last} s` : `up to ${last} s`;
  const [begin, end] = [Math.floor(low / 60), Math.ceil(high / 60)];
  if (high >= 7200) return `${hours(begin)}–${hours(end)}`;
  return begin === 0 ? `${tens ? `${tens} s–` : "up to "}${end} min` : begin < end ? `${begin}–${end} min` : `${end} min`;
}

function hours(minutes) {
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h` + (minutes % 60 ? ` ${minutes % 60} min` : "");
}

function tell(element, milliseconds) {
  say(element, duration(Math.max(0, milliseconds / 1000)));
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
