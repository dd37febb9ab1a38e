// The connection to the server: one stream while the page is seen, else a look now and then; and how live it is.
const STALE = 12_000; // milliseconds without a word from the server
const BACK_OFF = [500, 1_000, 2_000, 5_000, 10_000];
const POLL = 2_000;
const UNSEEN = 20_000; // between two looks of a page that nobody sees: its tab tells the state, too
const PATIENCE = 3; // failures before it polls
const TRY_STREAM = 30_000;

export class Connection {
  /** `handlers`: by the name of the event; `snapshot(fields)`: reads everything anew; `onMode(mode, heard)`: how
   * live it is has changed, and when the server was heard last. */
  constructor(root, badge, { handlers, snapshot, onMode }) {
    Object.assign(this, { url: root.dataset.events, badge, handlers, snapshot, onMode });
    this.position = root.dataset.position;
    this.over = "over" in root.dataset;
    this.source = null;
    this.polling = 0;
    this.failures = 0;
    this.heard = Date.now();
    this.waiting = 0; // the timer of the next attempt
    this.mode = this.over ? "finished" : "catching up";
    document.addEventListener("visibilitychange", () => this.seen());
    addEventListener("pagehide", () => this.disconnect());
    addEventListener("pageshow", (event) => event.persisted && this.connect());
    addEventListener("online", () => this.over || document.hidden || this.connect());
    setInterval(() => this.look(), UNSEEN);
    setInterval(() => this.watch(), 1_000);
  }

  connect() {
    this.disconnect();
    if (this.over || document.hidden) return;
    const stream = new EventSource(`${this.url}?after=${encodeURIComponent(this.position)}`);
    this.source = stream;
    for (const name of [...Object.keys(this.handlers), "mode", "beat", "reset", "end", "bye"]) {
      stream.addEventListener(name, (event) => this.source === stream && this.take(name, event));
    }
    stream.onopen = () => {
      if (this.source !== stream) return;
      this.heard = Date.now();
      this.stopPolling(); // what the stream says of itself comes with its first event
    };
    stream.onerror = () => {
      if (this.source !== stream) return;
      this.catchUp();
      if (stream.readyState === EventSource.CLOSED) this.fail();
    };
  }

  take(name, event) {
    this.heard = Date.now();
    this.failures = 0;
    if (event.lastEventId) this.position = event.lastEventId;
    const data = JSON.parse(event.data || "{}");
    if (name === "mode") this.show(data.live ? "live" : "polling");
    else if (name === "beat" && this.mode === "stale") this.show("live");
    else if (name === "reset") this.resync();
    else if (name === "end") this.finish();
    else if (name === "bye") location.reload();
    this.handlers[name]?.(data);
  }

  disconnect() {
    clearTimeout(this.waiting);
    this.source?.close();
    this.source = null;
  }

  fail() {
    this.disconnect();
    this.failures += 1;
    if (this.failures >= PATIENCE) this.startPolling();
    const pause = this.polling ? TRY_STREAM : BACK_OFF[Math.min(this.failures, BACK_OFF.length) - 1];
    this.waiting = setTimeout(() => this.connect(), pause * (0.75 + Math.random() / 2));
  }

  finish() {
    this.over = true;
    this.disconnect();
    this.stopPolling();
    this.show("finished");
  }

  /** After a gap: read everything, then follow from there. */
  resync() {
    this.disconnect();
    if (!this.over) this.catchUp();
    // Not all at once: whatever sent this page here has sent the others, too.
    this.waiting = setTimeout(async () => {
      try {
        await this.read({});
        this.over ? this.finish() : this.connect();
      } catch {
        this.fail();
      }
    }, Math.random() * 500);
  }

  async read(fields) {
    const data = await this.snapshot(fields);
    this.heard = Date.now();
    if (!data) return;
    this.position = String(data.position);
    this.over = data.over;
  }

  startPolling() {
    if (!this.polling) this.polling = setInterval(() => document.hidden || this.poll("polling"), POLL);
  }

  stopPolling() {
    clearInterval(this.polling);
    this.polling = 0;
  }

  async poll(mode) {
    try {
      await this.read({ after: this.position });
      this.over ? this.finish() : this.show(mode);
    } catch {
      // the badge tells since when nothing was heard
    }
  }

  /** A page that nobody sees: a browser has six connections for all its tabs, so it holds none. */
  look() {
    if (document.hidden && !this.over) this.poll(this.mode);
  }

  seen() {
    if (document.hidden) return this.disconnect();
    if (!this.over) this.catchUp();
    this.connect();
  }

  /** A connection that died without a word, as in a sleep, is made anew. */
  watch() {
    const silent = Date.now() - this.heard;
    if (this.over || document.hidden || silent < STALE) return;
    this.show("stale", `stale since ${Math.round(silent / 1000)} s`);
    if (this.source && Math.round(silent / 1000) % 12 === 0) this.connect();
  }

  /** Trying is no news: what is stale stays so until something was heard. */
  catchUp() {
    if (Date.now() - this.heard < STALE) this.show("catching up");
  }

  show(mode, text = mode) {
    if (mode !== this.mode) this.onMode(mode, this.heard);
    this.mode = mode;
    this.badge.dataset.mode = mode;
    if (this.badge.textContent !== text) this.badge.textContent = text;
  }
}
