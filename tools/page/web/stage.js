// A stage is what the map, the lanes and the curves of one run have in common: the axes, the part of them that is shown,
// and the event that is looked at.

class Stage {
  constructor(run, finding) {
    this.run = run;
    this.finding = finding;
    this.time = new TimeAxis(run);
    this.address = new AddressAxis(run);
    this.cursor = null;
    this.steps = [];  // of why: {event, number}
    this.listeners = [];
    this.reset();
  }

  reset() {
    this.x0 = 0;
    this.x1 = this.time.total;
    this.y0 = 0;
    this.y1 = this.address.total;
  }

  // what: "view" or "cursor".
  changed(what) {
    for (const listener of this.listeners) listener(what);
  }

  limit(from, to, total) {
    const span = Math.min(total, Math.max(to - from, total / 1e7));
    const begin = Math.min(Math.max(0, from), total - span);
    return [begin, begin + span];
  }

  show(x0, x1, y0 = this.y0, y1 = this.y1) {
    [this.x0, this.x1] = this.limit(x0, x1, this.time.total);
    [this.y0, this.y1] = this.limit(y0, y1, this.address.total);
    this.changed("view");
  }

  zoom(factor, x, y) {
    const at = (from, to, place) => [place - (place - from) * factor, place + (to - place) * factor];
    const [x0, x1] = x == null ? [this.x0, this.x1] : at(this.x0, this.x1, x);
    const [y0, y1] = y == null ? [this.y0, this.y1] : at(this.y0, this.y1, y);
    this.show(x0, x1, y0, y1);
  }

  look(event, address) {
    this.cursor = Math.max(0, Math.min(this.run.count - 1, event));
    this.cursorAddress = address ?? this.addressOf(this.cursor);
    const x = this.time.at(this.cursor), span = this.x1 - this.x0;
    if (x < this.x0 || x > this.x1) this.show(x - span / 2, x + span / 2);
    this.changed("cursor");
  }

  // Where an event is; null if it has no place.
  addressOf(event) {
    const request = this.run.line(event).request, i = this.run.byNumber.get(request);
    if (i !== undefined && this.run.requests.bytes[i] > 0) return this.run.requests.offset[i];
    const kind = this.run.kind(event);
    return /^dirty-(set|clear)$/.test(kind) ? Number(this.run.field(event, "offset")) : null;
  }

  toggle(axis) {
    axis.isTrue = !axis.isTrue;
    this.reset();
    this.changed("view");
  }
}
