// The map: time to the right, address downwards. What is in it is noted in `drawn`, with its place in pixels: for the
// pointer, and for whoever wants to know what is to be seen.

const HEADER = 64, LEFT = 84, BOTTOM = 20, TOP_LEVELS = 4;

// Lines through the whole height, by kind of event: [word, colour].
const LINES = {
  "ready": ["READY", "line"], "error": ["error", "fault"], "paused": ["paused", "line"], "resumed": ["resumed", "line"],
  "completed": ["completed", "line"], "cancelled": ["cancelled", "line"], "pivot": ["pivot", "line"],
  "power-cut": ["power cut", "fault"], "drained": ["drained", "line"], "refused": ["refused", "fault"],
  "start-refused": ["start refused", "fault"], "pending": ["pending", "line"], "moved": ["guest moved", "line"],
  "check-failed": ["check failed", "fault"], "mark": ["mark", "line"], "synced": ["synced", "line"],
};

class RunMap extends Drawing {
  constructor(stage, label) {
    super();
    this.stage = stage;
    this.canvas = make("canvas", {class: "map", tabindex: "0", role: "img", "aria-label": label});
    this.tip = make("div", {class: "tip", role: "tooltip", hidden: true});
    this.element = make("div", {class: "map-frame"}, this.canvas, this.tip);
    this.drawn = [];
    this.height = 420;
    this.hidden = new Set();
    this.lines = this.findLines();
    stage.listeners.push(() => this.redraw());
    this.watch(this.element);
    this.listen();
  }

  // ---- Places ----

  x(units) {
    const {x0, x1} = this.stage;
    return LEFT + (units - x0) / (x1 - x0) * (this.width - LEFT - 8);
  }

  y(units) {
    const {y0, y1} = this.stage;
    return HEADER + (units - y0) / (y1 - y0) * (this.height - HEADER - BOTTOM);
  }

  unitsAt(x, y) {
    const {x0, x1, y0, y1} = this.stage;
    return [x0 + (x - LEFT) / (this.width - LEFT - 8) * (x1 - x0), y0 + (y - HEADER) / (this.height - HEADER - BOTTOM) * (y1 - y0)];
  }

  // In pixels; at least so big that it is seen. Null: outside of what is shown.
  box(from, to, offset, bytes) {
    const {time, address} = this.stage;
    const left = this.x(time.at(from)), right = this.x(time.at(to));
    if (right < LEFT || left > this.width) return null;
    const top = this.y(address.at(offset)), bottom = this.y(address.at(offset + bytes));
    if (bottom < HEADER || top > this.height - BOTTOM) return null;
    return {x: left, y: top, w: Math.max(2, right - left), h: Math.max(3, bottom - top)};
  }

  findLines() {
    const {run} = this.stage, {instants} = run, lines = [];
    for (let i = 0; i < instants.count && lines.length < 5000; i++) {
      const event = instants.event[i], kind = run.kind(event);
      if (kind === "command") {
        lines.push({event, word: run.field(event, "verb"), colour: "line"});
      } else if (LINES[kind]) {
        const name = kind === "mark" ? run.field(event, "mark") : kind === "error" ? `error ${run.field(event, "ret") ?? ""}` : LINES[kind][0];
        lines.push({event, word: name, colour: LINES[kind][1]});
      }
    }
    return lines;
  }

  // ---- Drawing ----

  draw() {
    this.height = Math.max(300, Math.min(560, Math.round(window.innerHeight * 0.5)));
    const {context, width} = sized(this.canvas, this.height);
    this.context = context;
    this.width = width;
    this.colours = palette();
    this.drawn = [];
    this.occupied = new Set();
    context.fillStyle = this.colours.ground;
    context.fillRect(LEFT, HEADER, width - LEFT, this.height - HEADER - BOTTOM);
    context.save();
    context.beginPath();
    context.rect(LEFT, HEADER, width - LEFT, this.height - HEADER - BOTTOM);
    context.clip();
    this.drawFolds();
    this.drawRanges(RANGE.DIRTY);
    this.labels = [];
    this.steps = this.placeSteps();
    this.drawRequests([BY.JOB]);
    this.drawRanges(RANGE.IN_FLIGHT);
    this.drawHolds();
    this.drawRequests([BY.GUEST, BY.ACTIVE]);
    this.drawRanges(RANGE.LOCKED);
    this.drawFaults();
    this.drawLabels();
    context.restore();
    this.drawAxes();
    this.drawCycle();
    this.drawLines();
    this.drawFinding();
    this.drawDifference();
    this.drawSteps();
    this.drawCursor();
  }

  note(type, box, facts) {
    this.drawn.push({type, ...box, ...facts});
  }

  drawFolds() {
    const {context, colours, stage} = this;
    context.fillStyle = hatch(context, colours.hole, 8);
    for (const [from, to, bytes] of stage.address.folds()) {
      const top = this.y(from), bottom = this.y(to);
      if (bottom < HEADER || top > this.height) continue;
      context.fillRect(LEFT, top, this.width, bottom - top);
      this.note("fold-address", {x: LEFT, y: top, w: this.width - LEFT, h: bottom - top}, {bytes});
    }
    for (const [from, to, ns] of stage.time.folds(stage.x0, stage.x1)) {
      const left = this.x(from), right = this.x(to);
      context.fillRect(left, HEADER, right - left, this.height);
      this.note("fold-time", {x: left, y: HEADER, w: right - left, h: this.height - HEADER - BOTTOM}, {ns});
    }
  }

  // A thousand shapes in one pixel, or in one narrow column, are one shape.
  crowded(box, layer) {
    if (box.w > 3) return false;
    const place = ((Math.floor(box.x) * 1024 + Math.floor(box.y)) * 1024 + Math.floor(box.h)) * 8 + layer;
    if (this.occupied.has(place)) return true;
    this.occupied.add(place);
    return false;
  }

  drawRanges(kind) {
    const {context, colours, stage: {run: {ranges}}} = this;
    if (this.hidden.has(["dirty", "flight", "locked"][kind])) return;
    for (let i = 0; i < ranges.count; i++) {
      if (ranges.kind[i] !== kind) continue;
      const box = this.box(ranges.from[i], ranges.to[i], ranges.offset[i], ranges.bytes[i]);
      if (!box || this.crowded(box, kind)) continue;
      if (kind === RANGE.DIRTY) {
        context.globalAlpha = ranges.jobs[i] ? 1 : 0.4;
        context.fillStyle = colours.dirty;
        context.fillRect(box.x, box.y, box.w, box.h);
        context.globalAlpha = 1;
      } else {
        context.strokeStyle = kind === RANGE.LOCKED ? colours.fault : colours.write;
        context.setLineDash(kind === RANGE.LOCKED ? [2, 3] : [5, 3]);
        context.lineWidth = 1;
        context.strokeRect(box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1);
        context.setLineDash([]);
      }
      this.note(["dirty", "in-flight", "locked"][kind], box, {range: i});
    }
  }

  drawRequests(whose) {
    const {run: {requests}, time, x1} = this.stage;
    for (const by of whose) {
      if (this.hidden.has(["", "copy", "guest", "active"][by])) continue;
      for (let i = 0; i < requests.count; i++) {
        if (time.at(requests.came[i]) > x1) break;  // they are in the order in which they came
        if (requests.by[i] === by && requests.bytes[i] > 0) this.drawRequest(i);
      }
    }
  }

  requestColour(i) {
    const {requests, head} = this.stage.run, {colours} = this;
    if (requests.by[i] === BY.GUEST) return colours.guest;
    if (requests.by[i] === BY.ACTIVE) return colours.active;
    return head.ops[requests.op[i]] === "read" ? colours.read : colours.write;
  }

  drawRequest(i) {
    const {context, colours, stage} = this, {run} = stage, {requests} = run;
    const whole = this.box(requests.came[i], requests.over[i], requests.offset[i], requests.bytes[i]);
    if (!whole || this.crowded(whole, 2 + requests.by[i])) return;
    const op = run.head.ops[requests.op[i]], colour = this.requestColour(i);
    if (whole.w < 4 || whole.h < 4) {
      this.drawSpeck(i, whole, op, colour);
      return;
    }
    const submitted = Number.isFinite(requests.submit[i]) ? this.x(stage.time.at(requests.submit[i])) : whole.x + whole.w;
    context.globalAlpha = 0.3;
    context.fillStyle = hatch(context, colour, 4);
    context.fillRect(whole.x, whole.y, submitted - whole.x, whole.h);
    context.globalAlpha = /^(read|write)$/.test(op) ? (requests.by[i] === BY.GUEST && op === "read" ? 0.25 : 0.6) : 0.25;
    context.fillStyle = colour;
    context.fillRect(submitted, whole.y, whole.x + whole.w - submitted, whole.h);
    context.globalAlpha = 1;
    if (!/^(read|write)$/.test(op)) {
      context.fillStyle = hatch(context, colour);
      context.fillRect(submitted, whole.y, whole.x + whole.w - submitted, whole.h);
    }
    const failed = requests.ret[i] !== 0 || requests.fault[i] > 0 && this.failsBy(i);
    context.strokeStyle = failed ? colours.fault : colour;
    context.lineWidth = failed ? 2 : 1;
    context.strokeRect(whole.x + 0.5, whole.y + 0.5, Math.max(1, whole.w - 1), Math.max(2, whole.h - 1));
    this.drawEffect(i, whole);
    if (whole.w > 26 || this.labels.length < 100) this.labels.push({i, box: whole, failed});
    this.note("request", whole, {request: requests.request[i], by: run.head.by[requests.by[i]], op, failed, index: i});
  }

  // Too small for more than its colour.
  drawSpeck(i, box, op, colour) {
    const {context, colours, stage: {run: {requests, head}}} = this, failed = requests.ret[i] !== 0;
    context.fillStyle = failed ? colours.fault : colour;
    context.globalAlpha = failed ? 1 : 0.7;
    context.fillRect(box.x, box.y, box.w, box.h);
    context.globalAlpha = 1;
    if (this.labels.length < 60) this.labels.push({i, box, failed});
    this.note("request", box, {request: requests.request[i], by: head.by[requests.by[i]], op, failed, index: i});
    if (box.h >= 4 && Number.isFinite(requests.effect[i]) && this.labels.length < 60) this.drawEffect(i, box);
  }

  failsBy(i) {
    const {run} = this.stage;
    return !run.head.plan.faults[run.requests.fault[i] - 1]?.hold && run.requests.ret[i] !== 0;
  }

  // The instant in which its data moved.
  drawEffect(i, box) {
    const {requests} = this.stage.run, {context} = this;
    if (!Number.isFinite(requests.effect[i])) return;
    const x = this.x(this.stage.time.at(requests.effect[i]));
    context.strokeStyle = this.colours.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x, box.y);
    context.lineTo(x, box.y + box.h);
    context.stroke();
    if (box.h > 8 && box.w > 6) {
      context.fillStyle = this.colours.ink;
      context.beginPath();
      context.moveTo(x - 4, box.y);
      context.lineTo(x + 4, box.y);
      context.lineTo(x, box.y + 5);
      context.fill();
    }
    this.note("effect", {x, y: box.y, w: 0, h: box.h}, {request: requests.request[i]});
  }

  // The names of requests: in them, or beside the small ones as far as there is room.
  drawLabels() {
    const {context, stage: {run}} = this, few = this.labels.length < 60;
    const taken = this.steps.map(({x, y}) => ({x: x - 9, y, w: 18}));
    this.labels.sort((a, b) => b.box.w * b.box.h - a.box.w * a.box.h);
    for (const {i, box, failed} of this.labels) {
      const left = Math.max(box.x, LEFT), room = Math.min(box.x + box.w, this.width) - left - 8;
      const name = run.requestName(i) + (failed ? ": " + run.outcomeWord(i) : ""), places = [];
      if (box.h >= 12 && room > 18 && !(few && room < 60)) {
        const text = cut(context, name, room);
        for (const y of [9, 27, box.h / 2, box.h - 22]) if (y <= box.h - 6 && text.length > 2) places.push([text, box.y + y]);
      }
      if (few && box.x >= LEFT - 2) places.push([name, box.y - 8], [name, box.y + box.h + 9]);
      this.placeLabel(places, left + 5, taken, failed ? this.colours.fault : this.colours.ink, run.requests.request[i]);
    }
  }

  // At the first of its places that is free.
  placeLabel(places, from, taken, colour, request) {
    for (const [text, y] of places) {
      const width = this.context.measureText(text).width, x = Math.min(from, this.width - width - 4);
      if (y < HEADER + 8 || y > this.height - BOTTOM - 8) continue;
      if (taken.some(other => other.x < x + width + 4 && x < other.x + other.w + 4 && Math.abs(other.y - y) < 15)) continue;
      taken.push({x, y, w: width});
      this.drawText(text, x, y, width, colour);
      this.note("label", {x, y: y - 7, w: width, h: 13}, {request, text});
      return;
    }
  }

  drawText(text, x, y, width, colour) {
    const {context} = this;
    context.fillStyle = this.colours.ground;
    context.globalAlpha = 0.8;
    context.fillRect(x - 2, y - 7, width + 4, 13);
    context.globalAlpha = 1;
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  drawHolds() {
    const {context, colours, stage: {run}} = this, {periods} = run;
    if (this.hidden.has("fault")) return;
    for (let i = 0; i < periods.count; i++) {
      if (periods.lane[i] !== LANE.HOLD || periods.bytes[i] === 0) continue;
      const box = this.box(periods.from[i], periods.to[i], periods.offset[i], periods.bytes[i]);
      if (!box) continue;
      context.fillStyle = hatch(context, colours.fault, 7);
      context.fillRect(box.x, box.y, box.w, box.h);
      this.flag(box.x, box.y + box.h, "held: " + run.head.plan.faults[periods.value[i]].name);
      this.note("hold", box, {fault: periods.value[i], request: periods.request[i]});
    }
  }

  drawFaults() {
    const {run} = this.stage, {requests} = run;
    if (this.hidden.has("fault")) return;
    for (let i = 0; i < requests.count; i++) {
      const fault = requests.fault[i] > 0 && run.head.plan.faults[requests.fault[i] - 1];
      if (!fault || fault.hold || requests.bytes[i] === 0) continue;
      const box = this.box(requests.submit[i], requests.over[i], requests.offset[i], requests.bytes[i]);
      if (!box || this.crowded(box, 7)) continue;
      this.flag(box.x, box.y + box.h, fault.name);
      this.note("fault", box, {fault: requests.fault[i] - 1, request: requests.request[i]});
    }
  }

  // A name under a shape, as far as there is room beside the others.
  flag(x, y, text) {
    const {context, colours} = this, width = context.measureText(text).width + 6;
    const left = Math.max(LEFT + 2, Math.min(x, this.width - width)), top = Math.min(y - 14, this.height - BOTTOM - 15);
    if (this.drawn.some(one => one.type === "flag" && one.x < left + width && left < one.x + one.w && Math.abs(one.y - top) < 13)) return;
    context.fillStyle = colours.fault;
    context.fillRect(left, top, width, 14);
    context.fillStyle = colours.ground;
    context.fillText(text, left + 3, top + 7.5);
    this.note("flag", {x: left, y: top, w: width, h: 14}, {text});
  }
}
