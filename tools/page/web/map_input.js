// The pointer and the keys on a map, and the same map as a table, for those who can't see it.

const MAP_KEYS = "Arrow keys move, + and - zoom, shift with them for addresses, Home shows all, , and . go to the event before and after.";
const TABLE_ROWS = 500;

Object.assign(RunMap.prototype, {
  listen() {
    const {canvas} = this;
    canvas.addEventListener("wheel", event => this.wheel(event), {passive: false});
    canvas.addEventListener("pointerdown", event => this.press(event));
    canvas.addEventListener("pointermove", event => this.move(event));
    canvas.addEventListener("pointerup", event => this.release(event));
    canvas.addEventListener("pointercancel", () => { this.pressed = null; });
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    canvas.addEventListener("dblclick", () => { this.stage.reset(); this.stage.changed("view"); });
    canvas.addEventListener("keydown", event => this.key(event));
    canvas.title = "";
  },

  wheel(event) {
    event.preventDefault();
    const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300)));
    const [x, y] = this.unitsAt(event.offsetX, event.offsetY);
    if (event.shiftKey) this.stage.zoom(factor, null, y);
    else if (event.ctrlKey || event.altKey) this.stage.zoom(factor, x, y);
    else this.stage.zoom(factor, x, null);
  },

  press(event) {
    if (event.button !== 0) return;
    this.pressed = {x: event.offsetX, y: event.offsetY, box: event.shiftKey, moved: false,
                    view: [this.stage.x0, this.stage.x1, this.stage.y0, this.stage.y1]};
    this.canvas.setPointerCapture(event.pointerId);
  },

  move(event) {
    const {pressed} = this;
    if (!pressed) {
      this.hover(event.offsetX, event.offsetY);
      return;
    }
    const dx = event.offsetX - pressed.x, dy = event.offsetY - pressed.y;
    if (Math.abs(dx) + Math.abs(dy) > 3) pressed.moved = true;
    if (!pressed.moved || pressed.box) return;
    const [x0, x1, y0, y1] = pressed.view;
    const sx = dx / (this.width - LEFT - 8) * (x1 - x0), sy = dy / (this.height - HEADER - BOTTOM) * (y1 - y0);
    this.stage.show(x0 - sx, x1 - sx, y0 - sy, y1 - sy);
  },

  // A click looks at what is there; a drag with shift zooms to the box.
  release(event) {
    const {pressed} = this;
    this.pressed = null;
    if (!pressed) return;
    if (!pressed.moved) {
      this.click(event.offsetX, event.offsetY);
    } else if (pressed.box) {
      const [ax, ay] = this.unitsAt(pressed.x, pressed.y), [bx, by] = this.unitsAt(event.offsetX, event.offsetY);
      this.stage.show(Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by), Math.max(ay, by));
    }
  },

  // The smallest shape there.
  hit(x, y) {
    let best = null;
    for (const one of this.drawn) {
      if (!/^(request|dirty|hold|line|finding|step|in-flight|locked)$/.test(one.type)) continue;
      if (x < one.x - 3 || x > one.x + one.w + 3 || y < one.y - 2 || y > one.y + one.h + 2) continue;
      const rank = {finding: 0, step: 0, line: 3e9, dirty: 2e9, "in-flight": 1e9, locked: 1e9}[one.type] ?? 1;
      const size = rank + one.w * one.h;
      if (!best || size < best.size) best = {one, size};
    }
    return best?.one;
  },

  eventOf(shape, x) {
    const {run, time} = this.stage, {requests, ranges} = run;
    if (shape.event != null) return Math.min(shape.event, run.count - 1);
    if (shape.type === "request") {
      const i = shape.index, near = [requests.came[i], requests.submit[i], requests.effect[i], requests.done[i]].filter(Number.isFinite);
      return near.reduce((best, one) => Math.abs(this.x(time.at(one)) - x) < Math.abs(this.x(time.at(best)) - x) ? one : best);
    }
    if (shape.type === "hold") return requests.submit[run.byNumber.get(shape.request)] ?? 0;
    return Math.abs(this.x(time.at(ranges.to[shape.range])) - x) < Math.abs(this.x(time.at(ranges.from[shape.range])) - x) && Number.isFinite(ranges.to[shape.range])
      ? ranges.to[shape.range] : ranges.from[shape.range];
  },

  click(x, y) {
    const shape = this.hit(x, y), {time, address} = this.stage, [ux, uy] = this.unitsAt(x, y);
    this.stage.look(shape ? this.eventOf(shape, x) : time.eventAt(ux), Math.floor(address.addressAt(uy) / 512) * 512);
  },

  factsOf(shape) {
    const {run} = this.stage, {ranges} = run;
    if (shape.type === "request") return run.requestFacts(shape.index);
    if (shape.type === "line") return [run.lineText(shape.event).trim()];
    if (shape.type === "finding") return [this.stage.finding.text];
    if (shape.type === "step") return [this.stage.steps.find(step => step.number === shape.step)?.text ?? ""];
    if (shape.type === "hold") return [`held by ${run.head.plan.faults[shape.fault].name}`, ...run.requestFacts(run.byNumber.get(shape.request))];
    const i = shape.range, what = {dirty: "dirty", "in-flight": "in flight", locked: "waits for an operation"}[shape.type];
    return [`${what}: ${rangeWord(ranges.offset[i], ranges.bytes[i])} of ${run.disk(ranges.node[i])}`,
            `${timeWord(ranges.fromNs[i])} to ${timeWord(ranges.toNs[i])}`];
  },

  hover(x, y) {
    const shape = this.hit(x, y), {time, address, run} = this.stage;
    if (x < LEFT || y < HEADER && !shape) {
      this.tip.hidden = true;
      return;
    }
    const [ux, uy] = this.unitsAt(x, y), at = address.addressAt(uy);
    const place = `${timeWord(run.events.ns[time.eventAt(ux)])}, ${sizeWord(Math.floor(at / 512) * 512)} (sector ${Math.floor(at / 512)})`;
    this.tip.replaceChildren(...[...shape ? this.factsOf(shape) : [], place].map(text => make("div", {}, text)));
    this.tip.hidden = false;
    this.tip.style.left = Math.max(0, Math.min(x + 14, this.width - this.tip.offsetWidth - 4)) + "px";
    this.tip.style.top = (y + 18 + this.tip.offsetHeight > this.height ? y - this.tip.offsetHeight - 8 : y + 18) + "px";
  },

  key(event) {
    const {stage} = this, x = (stage.x1 - stage.x0) / 5, y = (stage.y1 - stage.y0) / 5;
    const shift = (dx, dy) => stage.show(stage.x0 + dx, stage.x1 + dx, stage.y0 + dy, stage.y1 + dy);
    const middle = [(stage.x0 + stage.x1) / 2, (stage.y0 + stage.y1) / 2];
    const zoom = factor => event.shiftKey && event.key !== "+" ? stage.zoom(factor, null, middle[1]) : stage.zoom(factor, middle[0], null);
    const keys = {
      ArrowLeft: () => shift(-x, 0), ArrowRight: () => shift(x, 0), ArrowUp: () => shift(0, -y), ArrowDown: () => shift(0, y),
      "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4), "_": () => zoom(1.4),
      Home: () => { stage.reset(); stage.changed("view"); },
      ",": () => stage.look((stage.cursor ?? 1) - 1), ".": () => stage.look((stage.cursor ?? -1) + 1),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  },

  // The requests, in the order in which they came.
  table() {
    const {run} = this.stage, {requests} = run, rows = [];
    for (let i = 0; i < Math.min(requests.count, TABLE_ROWS); i++) {
      const cells = [run.requestName(i), run.disk(requests.node[i]), requests.bytes[i] > 0 ? rangeWord(requests.offset[i], requests.bytes[i]) : "",
                     timeWord(requests.cameNs[i]), Number.isFinite(requests.effectNs[i]) ? timeWord(requests.effectNs[i]) : "",
                     timeWord(requests.overNs[i]), run.outcomeWord(i)];
      rows.push(make("tr", {}, ...cells.map((cell, column) => make(column === 0 ? "th" : "td", column === 0 ? {scope: "row"} : {}, cell))));
    }
    const heads = ["request", "disk", "range", "came", "effect", "over", "result"];
    const caption = requests.count > TABLE_ROWS ? `The first ${TABLE_ROWS} of ${requests.count} requests` : plural(requests.count, "request");
    return make("div", {class: "wide"}, make("table", {}, make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...heads.map(head => make("th", {scope: "col"}, head)))), make("tbody", {}, ...rows)));
  },
});
