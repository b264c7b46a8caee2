// The trace as a list of which only the part that is to be seen exists.

const ROW = 18, MAX_SCROLL = 8000000;  // browsers don't scroll further than some millions of pixels

class TraceList extends Drawing {
  constructor(stage) {
    super();
    this.stage = stage;
    this.shown = null;  // numbers of the events that are found; null: all
    this.inner = make("div", {class: "trace-inner"});
    this.list = make("div", {class: "trace", tabindex: "0", role: "listbox", "aria-label": "Trace"}, this.inner);
    this.status = make("span", {class: "note", role: "status"});
    this.search = make("input", {type: "search", placeholder: "find in the trace", "aria-label": "Find in the trace", oninput: () => this.find()});
    this.element = make("div", {class: "trace-frame"}, make("div", {class: "bar"}, this.search, this.status), this.list);
    this.list.addEventListener("scroll", () => this.redraw());
    this.list.addEventListener("keydown", event => this.key(event));
    this.list.addEventListener("click", event => this.click(event));
    this.watch(this.list);
    stage.listeners.push(what => { if (what === "cursor") this.reveal(); });
    this.say();
  }

  get count() {
    return this.shown ? this.shown.length : this.stage.run.count;
  }

  get scale() {
    return Math.max(1, this.count * ROW / MAX_SCROLL);
  }

  eventOf(row) {
    return this.shown ? this.shown[row] : row;
  }

  rowOf(event) {
    return this.shown ? lowerBound(this.shown, event) : event;
  }

  say() {
    this.status.textContent = this.shown ? `${this.count} of ${this.stage.run.count} lines` : plural(this.count, "line");
  }

  draw() {
    const {run, cursor} = this.stage, top = this.list.scrollTop;
    const first = Math.max(0, Math.floor(top * this.scale / ROW) - 4), rows = Math.ceil(this.list.clientHeight / ROW) + 8;
    this.inner.style.height = Math.min(MAX_SCROLL, this.count * ROW) + "px";
    const children = [];
    for (let row = first; row < Math.min(this.count, first + rows); row++) {
      const event = this.eventOf(row), kind = run.kind(event);
      const line = make("div", {class: "line", role: "option", id: `line-${event}`, "data-event": event, "data-kind": kind,
                                "aria-selected": event === cursor, "aria-posinset": row + 1, "aria-setsize": this.count}, String(event).padStart(5) + run.lineText(event));
      line.style.top = (this.scale === 1 ? row * ROW : top + (row - first - 4) * ROW) + "px";
      children.push(line);
    }
    this.inner.replaceChildren(...children);
    this.list.setAttribute("aria-activedescendant", `line-${cursor}`);
  }

  reveal() {
    const row = this.rowOf(this.stage.cursor), at = row * ROW / this.scale;
    if (at < this.list.scrollTop || at > this.list.scrollTop + this.list.clientHeight - 2 * ROW) {
      this.list.scrollTop = Math.max(0, at - this.list.clientHeight / 3);
    }
    this.redraw();
  }

  click(event) {
    const line = event.target.closest(".line");
    if (line) this.stage.look(Number(line.dataset.event));
  }

  key(event) {
    const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity};
    if (!(event.key in steps)) return;
    event.preventDefault();
    const now = this.stage.cursor == null ? -1 : this.rowOf(this.stage.cursor);
    const row = Math.max(0, Math.min(this.count - 1, now + steps[event.key]));
    if (this.count > 0) this.stage.look(this.eventOf(row));
  }

  // In parts, so that a long trace does not stop the page.
  find() {
    const wanted = this.search.value.trim().toLowerCase(), {run} = this.stage, turn = this.turn = {};
    if (wanted === "") {
      this.shown = null;
      this.finish();
      return;
    }
    const found = [];
    let at = 0;
    const part = () => {
      if (turn !== this.turn) return;
      const end = Math.min(run.count, at + 20000);
      for (; at < end; at++) if (run.lineText(at).toLowerCase().includes(wanted)) found.push(at);
      this.shown = found;
      this.finish();
      if (at < run.count) setTimeout(part);
    };
    part();
  }

  finish() {
    this.say();
    this.list.scrollTop = 0;
    if (this.stage.cursor != null) this.reveal();
    this.redraw();
  }
}
