// Finds words in all that a step wrote: the server looks, and the terminal goes to the lines.
export class Search {
  constructor(form, terminal) {
    this.terminal = terminal;
    this.field = form.querySelector("[type=search]");
    this.told = form.querySelector("#hits");
    this.arrows = form.querySelector("#arrows");
    this.reached = form.querySelector("#reached");
    this.again = this.reached.querySelector("button");
    this.forget();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.known() && event.submitter !== this.again ? this.go(1) : this.look();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.clear();
      if (event.key !== "Enter" || !event.shiftKey) return;
      event.preventDefault();
      this.known() ? this.go(-1) : this.look();
    });
    this.field.addEventListener("input", () => this.known() || this.forget());
    form.querySelector("#previous").addEventListener("click", (event) => this.press(event, -1));
    form.querySelector("#next").addEventListener("click", (event) => this.press(event, 1));
    if (this.field.value.trim()) this.look();
  }

  get words() {
    return this.field.value.trim();
  }

  /** Whether the hits are those of the words, in this output as far as it was read. */
  known() {
    const { words, attempt } = this.result;
    return Boolean(words) && words === this.words && attempt === this.terminal.attempt;
  }

  forget() {
    this.result = { words: "", attempt: "", total: 0, hits: [], until: "", reached: "" };
    this.index = -1;
    this.told.textContent = "";
    this.tellReach();
    this.arrows.hidden = true;
    CSS.highlights?.delete("found");
  }

  clear() {
    this.field.value = "";
    this.forget();
  }

  press(event, way) {
    event.preventDefault();
    this.known() ? this.go(way) : this.look();
  }

  async look() {
    const { words, terminal } = this;
    if (!words || !terminal.attempt) return this.forget();
    const { attempt } = terminal;
    this.told.textContent = "Looking …";
    try {
      const response = await fetch(`${terminal.url}search/?${new URLSearchParams({ attempt, q: words })}`);
      if (!response.ok) throw new Error(`search: ${response.status}`);
      const found = await response.json();
      if (words !== this.words || attempt !== terminal.attempt) return;
      this.result = { words, attempt, ...found };
    } catch {
      this.told.textContent = "The portal does not answer. Try again.";
      return;
    }
    const from = Number((terminal.marked ?? terminal.top())?.dataset.s ?? 0);
    const next = this.result.hits.findIndex((byte) => byte >= from);
    this.index = next < 0 ? this.result.hits.length - 1 : next;
    await this.go(0);
  }

  /** As far as it was looked for in what a step is still writing. */
  tellReach() {
    const { reached } = this.result;
    this.reached.hidden = !reached;
    this.reached.querySelector("output").textContent = reached;
  }

  async go(way) {
    const { hits, total, words, until } = this.result;
    this.tellReach();
    const reach = until && ` in its first ${until}: the rest took too long`;
    this.arrows.hidden = !hits.length;
    if (!hits.length) {
      this.told.textContent = `Not found${reach}`;
      return;
    }
    this.index = (this.index + way + hits.length) % hits.length;
    const place = total - hits.length + this.index + 1;
    this.told.textContent = `${place.toLocaleString()} of ${total.toLocaleString()} line${total === 1 ? "" : "s"}${reach}`;
    const there = await this.terminal.goTo(hits[this.index]);
    if (there && words === this.result.words) highlight(this.terminal.marked, words);
  }
}

/** Colour the words in a line, which may lie in several spans. Changes nothing in the page. */
function highlight(line, words) {
  if (!CSS.highlights) return;
  const text = line.textContent.toLowerCase();
  const wanted = words.toLowerCase();
  const ranges = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    ranges.push(rangeOf(line, at, at + wanted.length));
  }
  CSS.highlights.set("found", new Highlight(...ranges.filter(Boolean)));
}

function rangeOf(line, begin, end) {
  const range = new Range();
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let at = 0;
  let begun = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!begun && begin < at + node.length) {
      range.setStart(node, begin - at);
      begun = true;
    }
    if (begun && end <= at + node.length) {
      range.setEnd(node, end - at);
      return range;
    }
    at += node.length;
  }
  return null;
}
