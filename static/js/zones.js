// A planned time in HTML that was made for all viewers at once: told by the reader's own clock too, as pages tell it.
export function tellHere(root) {
  for (const time of root.querySelectorAll("time:not([data-local])")) {
    const moment = new Date(time.dateTime);
    if (!time.textContent.endsWith(" UTC") || !moment.getTimezoneOffset()) continue;
    const day = moment.getDate() === moment.getUTCDate() ? {} : { weekday: "short" };
    const hour = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
    time.append(` (${moment.toLocaleString("en-GB", { ...day, ...hour }).replace(",", "")})`);
  }
}
