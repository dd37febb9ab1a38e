// The output of one step: the newest lines, appended as they come. Lines are known by the byte where they begin.
const MOST = 5_000; // lines
const NEAR = 24; // pixels from the end that still count as being at the end

export class Terminal {
  constructor(element, onGap) {
    this.element = element;
    this.onGap = onGap;
    this.list = element.querySelector("ol");
    this.pill = element.querySelector("#pill");
    this.toggle = element.querySelector("#tail");
    this.attempt = element.dataset.attempt;
    this.end = Number(element.dataset.end);
    this.queue = [];
    this.unseen = 0;
    this.following = true;
    this.list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.pill.addEventListener("click", () => this.follow(true));
    this.toggle.hidden = false;
    this.toggle.addEventListener("click", () => this.follow(!this.following));
    this.offerCopy(element.querySelector("#copy"));
    this.settle();
  }

  /** Another attempt, or another step: nothing of it is here yet. */
  begin(attempt) {
    this.replace({ attempt, begin: 0, end: 0, first: 1, html: "" });
  }

  /** The newest lines as the server has them now; null for a step without output. */
  replace(tail) {
    this.queue = [];
    this.attempt = tail?.attempt ?? "";
    this.end = tail?.end ?? 0;
    this.list.innerHTML = tail?.html ?? "";
    this.list.start = tail?.first || 1;
    this.element.classList.toggle("unnumbered", !tail?.first);
    this.element.querySelector("#earlier").hidden = !tail?.begin;
    this.unseen = 0;
    this.settle();
  }

  /** Output from the stream: drawn with the next frame, together with what else comes until then. */
  add(data) {
    if (data.attempt !== this.attempt) {
      if (data.offset) return this.onGap();
      this.begin(data.attempt);
    }
    if (this.queue.push(data) === 1) requestAnimationFrame(() => this.draw());
  }

  draw() {
    const queue = this.queue;
    this.queue = [];
    let added = 0;
    for (const piece of queue) {
      if (piece.end <= this.end) continue;
      if (piece.offset > this.end && !this.skip(piece)) return this.onGap();
      added += this.append(piece.lines);
      this.end = piece.end;
    }
    this.trim();
    if (!this.following) this.unseen += added;
    this.settle();
  }

  /** A flood is not shown in full; the server says what it left out. */
  skip(piece) {
    if (!piece.skipped || piece.offset - piece.skipped > this.end) return false;
    const left = Math.max(1, Math.round((piece.offset - this.end) / 1024));
    this.list.insertAdjacentHTML("beforeend", `<li class="gap" data-s="${this.end}">${left.toLocaleString()} kB went by too fast to show; the download has everything.</li>`);
    this.element.classList.add("unnumbered");
    return true;
  }

  append(lines) {
    if (!lines.length) return 0;
    const before = this.list.childElementCount;
    while (this.list.lastElementChild && Number(this.list.lastElementChild.dataset.s) >= lines[0][0] && !this.list.lastElementChild.classList.contains("gap")) {
      this.list.lastElementChild.remove();
    }
    const html = lines.slice(-MOST).map(([start, text, more]) => `<li data-s="${start}"${more ? ' class="more"' : ""}>${text}</li>`);
    this.list.insertAdjacentHTML("beforeend", html.join(""));
    return Math.max(0, this.list.childElementCount - before);
  }

  trim() {
    const surplus = this.list.childElementCount - MOST;
    if (surplus <= 0) return;
    let lines = 0;
    for (let n = 0; n < surplus; n += 1) {
      if (!this.list.firstElementChild.className) lines += 1;
      this.list.firstElementChild.remove();
    }
    this.list.start += lines;
    this.element.querySelector("#earlier").hidden = false;
  }

  follow(on) {
    this.following = on;
    if (on) this.unseen = 0;
    this.settle();
  }

  scrolled() {
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR;
    if (atEnd === this.following) return;
    this.following = atEnd;
    if (atEnd) this.unseen = 0;
    this.label();
  }

  settle() {
    if (this.following) this.list.scrollTop = this.list.scrollHeight;
    this.label();
  }

  label() {
    this.toggle.setAttribute("aria-pressed", String(this.following));
    this.pill.hidden = this.following || !this.unseen;
    this.pill.textContent = `${this.unseen.toLocaleString()} new line${this.unseen === 1 ? "" : "s"} ↓`;
    const lines = this.list.start - 1 + this.list.querySelectorAll("li:not(.more, .gap)").length;
    const counted = lines && !this.element.classList.contains("unnumbered");
    this.element.querySelector("#count").textContent = counted ? `${lines.toLocaleString()} line${lines === 1 ? "" : "s"}` : "";
    this.element.querySelector("#silent").hidden = this.list.childElementCount > 0;
  }

  offerCopy(button) {
    if (!navigator.clipboard) return; // only where the page came over a safe connection
    button.hidden = false;
    button.addEventListener("click", async () => {
      let text = "";
      for (const line of this.list.children) text += (line.className === "more" || !text ? "" : "\n") + line.textContent;
      await navigator.clipboard.writeText(text);
      const label = button.querySelector("span");
      label.textContent = "Copied";
      setTimeout(() => (label.textContent = "Copy"), 1_500);
    });
  }
}
