// The output of one step: a window of some thousand lines over all that is stored. It follows the newest
// lines, or rests where somebody reads; other lines are fetched. A line is known by the byte where it begins.
const MOST = 5_000; // lines
const NEAR = 24; // pixels from the end that still count as being at the end
const AHEAD = 600; // pixels from the beginning at which older lines are fetched

export class Terminal {
  constructor(element, { url, onGap }) {
    this.element = element;
    this.url = url; // of the step, without what follows
    this.onGap = onGap;
    this.list = this.find("#lines");
    this.pill = this.find("#pill");
    this.toggle = this.find("#tail");
    this.attempt = element.dataset.attempt;
    this.pinned = "pinned" in element.dataset; // stays at this attempt
    for (const name of ["begin", "end", "size", "oldest"]) this[name] = Number(element.dataset[name]);
    this.times = "times" in element.dataset;
    this.queue = [];
    this.unseen = 0;
    this.loading = false;
    this.following = !("rests" in element.dataset);
    this.marked = this.list.querySelector("#at");
    this.listen();
    this.marked?.scrollIntoView({ block: "center" });
    this.settle();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  listen() {
    this.list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.list.addEventListener("click", (event) => {
      let line = event.target.closest("li[data-s]");
      while (line?.classList.contains("more")) line = line.previousElementSibling;
      if (line && getSelection().isCollapsed) this.mark(line);
    });
    this.pill.addEventListener("click", () => this.follow(true));
    delete this.toggle.dataset.notOffered;
    this.toggle.addEventListener("click", () => this.follow(!this.following));
    // First to where the lines are added: what is trimmed is at the other end, and never in view.
    const links = {
      "#earlier": () => {
        this.list.scrollTop = 0;
        this.older();
      },
      "#later": () => {
        this.list.scrollTop = this.list.scrollHeight;
        this.newer();
      },
      "#times": () => this.showTimes(!this.times),
    };
    for (const [selector, act] of Object.entries(links)) {
      this.find(selector).addEventListener("click", (event) => {
        event.preventDefault();
        act();
      });
    }
    this.find("#times").role = "button";
  }

  /** Whether the window reaches to the newest line. */
  get attached() {
    return this.end >= this.size;
  }

  // What comes over the stream

  /** Another attempt, or another step: nothing of it is here yet. */
  reset(attempt, url = this.url) {
    this.url = url;
    this.pinned = false;
    this.following = true;
    this.size = 0;
    this.show({ attempt, begin: 0, end: 0, size: 0, oldest: 0, first: 1, html: "" });
  }

  /** The newest lines as the server has them now; null for a step without output. */
  replace(tail) {
    if (this.pinned) return;
    if (tail && tail.attempt === this.attempt && !this.following) {
      this.size = Math.max(this.size, tail.size); // who reads stays where they are
      this.label();
    } else if (tail) this.show(tail);
    else this.reset("");
  }

  /** New output: drawn with the next frame, together with what else comes until then. */
  add(piece) {
    if (piece.attempt !== this.attempt) {
      if (this.pinned) return;
      if (piece.offset) return this.onGap();
      this.reset(piece.attempt);
    }
    if (this.queue.push(piece) === 1) requestAnimationFrame(() => this.draw());
  }

  draw() {
    const queue = this.queue;
    this.queue = [];
    for (const piece of queue) {
      if (piece.end <= this.size) continue;
      if (piece.offset - piece.skipped > this.size) return this.onGap();
      this.take(piece);
    }
    this.trimStart();
    this.settle();
  }

  take(piece) {
    const attached = this.attached && piece.offset <= this.size;
    const room = this.list.childElementCount + piece.lines.length <= MOST;
    this.size = piece.end;
    if (!this.following) this.unseen += piece.lines.length;
    if (!this.following && !(attached && room)) return; // fetched when somebody goes there
    if (!attached) {
      // A flood went by: what was left out can be scrolled to.
      this.list.replaceChildren();
      this.begin = piece.offset;
      this.number(0);
    }
    const time = this.times && piece.at ? ` data-t="${piece.at}"` : "";
    this.append(piece.lines.map(([start, html, more]) => `<li data-s="${start}"${more ? ' class="more"' : time}>${html}</li>`).join(""));
    this.end = piece.end;
  }

  // The window

  /** Put this part in the place of all lines. */
  show(part) {
    const same = part.attempt === this.attempt;
    this.queue = [];
    this.attempt = part.attempt;
    this.list.innerHTML = part.html;
    Object.assign(this, { begin: part.begin, end: part.end, oldest: part.oldest, size: Math.max(part.size, same ? this.size : 0) });
    this.number(part.first);
    this.unseen = 0;
    this.marked = null;
    this.settle();
  }

  /** Lines that follow; the last one here may have been unfinished, and comes again. */
  append(html) {
    const more = fragment(html);
    const start = Number(more.firstElementChild?.dataset.s ?? Infinity);
    while (Number(this.list.lastElementChild?.dataset.s ?? -1) >= start) this.list.lastElementChild.remove();
    this.list.append(more);
  }

  trimStart() {
    let surplus = this.list.childElementCount - MOST;
    if (surplus <= 0 || !this.following) return;
    let lines = 0;
    for (; surplus > 0; surplus -= 1) {
      if (!this.list.firstElementChild.classList.contains("more")) lines += 1;
      this.list.firstElementChild.remove();
    }
    this.begin = Number(this.list.firstElementChild.dataset.s);
    this.list.start += lines;
  }

  trimEnd() {
    while (this.list.childElementCount > MOST) {
      this.end = Number(this.list.lastElementChild.dataset.s);
      this.list.lastElementChild.remove();
    }
  }

  number(first) {
    this.element.classList.toggle("unnumbered", !first);
    this.list.start = first || 1;
  }

  async fetch(query) {
    if (this.loading || !this.attempt) return null;
    this.loading = true;
    const attempt = this.attempt;
    const fields = new URLSearchParams({ attempt, ...query, ...(this.times ? { times: 1 } : {}) });
    try {
      const response = await fetch(`${this.url}lines/?${fields}`);
      const part = response.ok ? await response.json() : null;
      this.find("#trouble").hidden = Boolean(part);
      return this.attempt === attempt ? part : null;
    } catch {
      this.find("#trouble").hidden = false;
      return null;
    } finally {
      this.loading = false;
    }
  }

  async older() {
    const part = await this.fetch({ before: this.begin });
    if (!part || part.begin >= this.begin) return;
    const height = this.list.scrollHeight - this.list.scrollTop;
    this.following = false;
    this.list.prepend(fragment(part.html));
    this.begin = part.begin;
    this.number(part.first);
    this.list.scrollTop = this.list.scrollHeight - height;
    this.trimEnd();
    this.label();
  }

  async newer() {
    const last = this.list.querySelector("li:not(.more):last-of-type") ?? this.list.lastElementChild;
    const part = await this.fetch({ after: last?.dataset.s ?? this.end });
    if (!part || part.end <= this.end) return;
    this.append(part.html);
    this.end = part.end;
    this.size = Math.max(this.size, part.size);
    if (this.list.childElementCount > MOST) {
      const height = this.list.scrollHeight;
      const top = this.list.scrollTop;
      this.following = true;
      this.trimStart();
      this.following = false;
      this.list.scrollTop = top - (height - this.list.scrollHeight);
    }
    this.label();
  }

  /** Show the line that begins at this byte. Whether it could be shown. */
  async goTo(byte) {
    this.following = false;
    let line = this.list.querySelector(`li[data-s="${byte}"]:not(.more)`);
    if (!line) {
      const part = await this.fetch({ at: byte });
      if (!part) return false;
      this.show(part);
      line = this.list.querySelector("#at");
    }
    if (!line) return false;
    this.mark(line);
    line.scrollIntoView({ block: "center", inline: "nearest" });
    this.label();
    return true;
  }

  /** A line that is meant: it stands in the page's address. */
  mark(line) {
    for (const other of this.list.querySelectorAll("#at")) {
      other.removeAttribute("id");
      other.removeAttribute("aria-current");
    }
    this.marked = line;
    line.id = "at";
    line.setAttribute("aria-current", "true");
    this.following = false;
    history.replaceState(null, "", this.link());
    this.label();
  }

  /** The address of the line that is marked, else of the first that is in view. */
  link() {
    const line = this.marked ?? this.top();
    const step = this.url.split("/").at(-2);
    const fields = { step, attempt: this.attempt, at: line?.dataset.s ?? 0 };
    return `${location.pathname}?${new URLSearchParams(fields)}#at`;
  }

  /** The first line in view. */
  top() {
    const { left, top } = this.list.getBoundingClientRect();
    const line = document.elementFromPoint(left + 8, Math.max(top, 0) + 16)?.closest?.("#lines > li");
    return line ?? this.list.firstElementChild;
  }

  async showTimes(on) {
    this.times = on;
    this.element.toggleAttribute("data-times", on);
    if (on) await this.fetchTimes();
    else for (const line of this.list.querySelectorAll("[data-t]")) delete line.dataset.t;
    this.label();
  }

  async fetchTimes() {
    let part = null;
    for (let byte = this.begin; byte < this.end; byte = part.end) {
      part = await this.fetch({ after: byte });
      if (!part || part.end <= byte) return;
      const times = new Map([...fragment(part.html).children].map((line) => [line.dataset.s, line.dataset.t]));
      for (const line of this.list.children) {
        const time = times.get(line.dataset.s);
        if (time && !line.classList.contains("more")) line.dataset.t = time;
      }
    }
  }

  // Where it stands

  async follow(on) {
    this.following = on;
    if (on) {
      this.unseen = 0;
      if (!this.attached) {
        const part = await this.fetch({});
        if (part) this.show(part);
      }
    }
    this.settle();
  }

  scrolled() {
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR;
    const following = atEnd && this.attached;
    if (following !== this.following) {
      this.following = following;
      if (following) this.unseen = 0;
      this.label();
    }
    if (atEnd && !this.attached) this.newer();
    else if (this.list.scrollTop < AHEAD && this.begin > this.oldest && !following) this.older();
  }

  settle() {
    if (this.following) this.list.scrollTop = this.list.scrollHeight;
    this.label();
  }

  label() {
    this.toggle.setAttribute("aria-pressed", String(this.following));
    this.find("#times").setAttribute("aria-pressed", String(this.times));
    this.pill.hidden = this.following || !(this.unseen || this.size > this.end);
    this.pill.textContent = this.unseen ? `${plural(this.unseen, "new line")} ↓` : "Newest lines ↓";
    this.find("#count").textContent = this.extent();
    this.find("#silent").hidden = this.list.childElementCount > 0;
    this.find("#earlier").hidden = this.begin <= this.oldest;
    this.find("#later").hidden = this.attached;
  }

  /** How much there is: its lines where all of them were counted, else its bytes. Both stay true wherever one reads. */
  extent() {
    if (this.element.classList.contains("unnumbered") || !this.attached) return weight(this.size);
    const lines = this.list.start - 1 + this.list.querySelectorAll("li:not(.more, .gap)").length;
    return lines ? plural(lines, "line") : "";
  }
}

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

function plural(number, word) {
  return `${number.toLocaleString()} ${word}${number === 1 ? "" : "s"}`;
}

function weight(bytes) {
  if (bytes < 1e5) return bytes ? `${Math.ceil(bytes / 1e3)} kB` : "";
  return `${(bytes / 1e6).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`;
}
