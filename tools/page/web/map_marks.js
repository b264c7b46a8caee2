// What lies over the shapes of a map: axes, lines, the finding, the steps of why, and what is looked at.

Object.assign(RunMap.prototype, {
  drawAxes() {
    const {context, colours} = this;
    context.strokeStyle = colours.grid;
    context.fillStyle = colours.faint;
    context.lineWidth = 1;
    context.strokeRect(LEFT + 0.5, HEADER + 0.5, this.width - LEFT - 1, this.height - HEADER - BOTTOM);
    this.drawAddresses();
    this.drawTimes();
  },

  // The roundest addresses come first; others where there is room left.
  drawAddresses() {
    const {context, stage: {address, y0, y1}} = this, taken = [];
    let candidates;
    if (address.isTrue) {
      candidates = Array.from({length: 9}, (_, i) => Math.round((y0 + (y1 - y0) * i / 8) / 4096) * 4096);
    } else {
      const from = Math.max(0, lowerBound(address.units, y0)), to = lowerBound(address.units, y1) + 1;
      const step = Math.max(1, Math.floor((to - from) / 400));
      candidates = [];
      for (let i = from; i < Math.min(to, address.bounds.length); i += step) candidates.push(address.bounds[i]);
    }
    const round = value => { let zeroes = 0; while (value > 0 && value % 2 === 0 && zeroes < 62) { value /= 2; zeroes++; } return value === 0 ? 63 : zeroes; };
    candidates.sort((a, b) => round(b) - round(a));
    context.textAlign = "right";
    for (const value of candidates) {
      const y = this.y(address.at(value));
      if (y < HEADER - 1 || y > this.height - BOTTOM + 1 || taken.some(other => Math.abs(other - y) < 13)) continue;
      taken.push(y);
      context.fillText(sizeWord(value), LEFT - 6, y);
      context.fillRect(LEFT - 4, Math.round(y), 4, 1);
      this.note("address-tick", {x: 0, y, w: LEFT, h: 0}, {address: value});
    }
    context.textAlign = "left";
    for (const fold of this.drawn.filter(one => one.type === "fold-address" && one.h >= 9)) {
      context.fillText(`${sizeWord(fold.bytes)} untouched`, LEFT + 6, fold.y + fold.h / 2);
    }
  },

  drawTimes() {
    const {context, stage: {run, time}} = this;
    context.textAlign = "center";
    let last = -Infinity;
    for (let x = LEFT + 4; x < this.width - 20; x += 12) {
      const event = time.eventAt(this.unitsAt(x, 0)[0]), place = this.x(time.at(event));
      if (place - last < 84 || place < LEFT || place > this.width - 24) continue;
      if (last > 0 && run.events.ns[event] === this.lastTick) continue;
      last = place;
      this.lastTick = run.events.ns[event];
      context.fillText(shortTime(this.lastTick), Math.max(place, LEFT + 10), this.height - BOTTOM / 2 + 1);
      context.fillRect(Math.round(place), this.height - BOTTOM, 1, 4);
      this.note("time-tick", {x: place, y: this.height, w: 0, h: 0}, {ns: this.lastTick});
    }
    this.lastTick = null;
    for (const fold of this.drawn.filter(one => one.type === "fold-time" && one.w > 46)) {
      context.fillText("+" + shortTime(fold.ns), fold.x + fold.w / 2, this.height - BOTTOM - 8);
    }
    context.textAlign = "left";
  },

  drawLines() {
    const {context, colours, stage: {time}} = this, levels = new Levels(TOP_LEVELS);
    for (const {event, word, colour} of this.lines) {
      const x = this.x(time.at(event));
      if (x < LEFT - 1 || x > this.width) continue;
      const width = context.measureText(word).width;
      const level = levels.place(Math.min(x, this.width - width - 4), width);
      context.strokeStyle = colours[colour];
      context.lineWidth = 1;
      context.setLineDash(level < 0 ? [1, 4] : [4, 3]);
      context.beginPath();
      context.moveTo(x, level < 0 ? HEADER : 12 + 14 * level);
      context.lineTo(x, this.height - BOTTOM);
      context.stroke();
      context.setLineDash([]);
      if (level >= 0) {
        context.fillStyle = colours[colour];
        context.fillText(word, Math.min(x + 3, this.width - width - 2), 8 + 14 * level);
      }
      this.note("line", {x, y: 0, w: 0, h: this.height}, {event, word});
    }
  },

  // What repeats for ever, up to the finding.
  drawCycle() {
    const {context, colours, stage: {finding, time, run}} = this;
    if (finding?.cycle_from_event == null) return;
    const ends = [finding.cycle_from_event, finding.event].map(event => this.x(time.at(Math.min(event, run.count - 1))));
    const left = Math.max(LEFT, ends[0]), right = Math.min(this.width, ends[1]);
    if (right <= left) return;
    const y = this.height - BOTTOM - 5, words = "again and again", width = context.measureText(words).width;
    context.fillStyle = context.strokeStyle = colours.mark;
    context.globalAlpha = 0.12;
    context.fillRect(left, HEADER, right - left, this.height - HEADER - BOTTOM);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeRect(left, HEADER, right - left, this.height - HEADER - BOTTOM);
    if (width + 8 < right - left) this.drawText(words, left + 4, y - 6, width, colours.mark);
    this.note("cycle", {x: left, y: HEADER, w: right - left, h: this.height - HEADER - BOTTOM}, {from: finding.cycle_from_event, to: finding.event});
  },

  // Where the cross is; null: not in what is shown.
  placeOfFinding() {
    const {finding, time, address, run} = this.stage;
    if (!finding) return null;
    const x = this.x(time.at(Math.min(finding.event, run.count - 1)));
    const y = finding.sector == null ? HEADER + 10 : this.y(address.at(finding.sector * 512 + 256));
    if (y < HEADER - 1 || y > this.height - BOTTOM + 1 || x < LEFT - 1 || x > this.width) return null;
    return {x: Math.max(LEFT + 6, Math.min(x, this.width - 8)), y};
  },

  drawFinding() {
    const {context, colours, stage: {finding}} = this, place = this.placeOfFinding();
    if (!place) return;
    const {x, y} = place;
    for (const [colour, width] of [[colours.ground, 8], [colours.mark, 4]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      for (const way of [-1, 1]) {
        context.moveTo(x - 9, y - 9 * way);
        context.lineTo(x + 9, y + 9 * way);
      }
      context.stroke();
    }
    const width = context.measureText(finding.kind).width;
    this.drawText(finding.kind, x + 14 + width > this.width ? x - 14 - width : x + 14, y, width, colours.mark);
    this.note("finding", {x: x - 9, y: y - 9, w: 18, h: 18}, {event: finding.event, sector: finding.sector});
  },

  drawDifference() {
    const {context, colours, stage} = this;
    if (stage.difference == null) return;
    const x = this.x(stage.time.at(Math.min(stage.difference, stage.run.count - 1)));
    context.strokeStyle = colours.mark;
    context.lineWidth = 2;
    context.strokeRect(x, HEADER, 0, this.height - HEADER - BOTTOM);
    context.fillStyle = colours.mark;
    context.fillText("first difference", Math.min(x + 4, this.width - 80), HEADER + 8);
    this.note("difference", {x, y: HEADER, w: 0, h: this.height}, {event: stage.difference});
  },

  // The steps of why, as numbers at their places, beside each other and the cross; on a phone, only the one that is
  // looked at, and where it went wrong.
  placeSteps() {
    const {stage} = this, {time, address} = stage, cross = this.placeOfFinding(), taken = cross ? [cross] : [], places = [];
    for (const step of stage.steps) {
      const x = this.x(time.at(step.event));
      if (x < LEFT - 1 || x > this.width || this.width < 480 && step !== stage.step && !step.wrong) continue;
      let y = step.address == null ? HEADER + 9 : Math.max(HEADER + 9, Math.min(this.y(address.at(step.address)), this.height - BOTTOM - 9));
      while (taken.some(other => Math.abs(other.x - x) < 17 && Math.abs(other.y - y) < 17) && y < this.height - 30) y += 17;
      taken.push({x, y});
      places.push({step, x: Math.max(x, LEFT), y});
    }
    return places;
  },

  drawSteps() {
    const {context, colours, stage} = this;
    context.textAlign = "center";
    for (const {step, x, y} of this.steps) {
      const now = step === stage.step;
      context.beginPath();
      context.arc(x, y, now ? 10 : 8, 0, 7);
      context.fillStyle = now || step.wrong ? colours.mark : colours.ink;
      context.fill();
      context.fillStyle = colours.ground;
      context.fillText(step.number, x, y + 0.5);
      this.note("step", {x: x - 8, y: y - 8, w: 16, h: 16}, {step: step.number, event: step.event});
    }
    context.textAlign = "left";
  },

  drawCursor() {
    const {stage, context, colours} = this;
    if (stage.cursor == null) return;
    const x = this.x(stage.time.at(stage.cursor));
    context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.strokeRect(x, HEADER - 6, 0, this.height - HEADER - BOTTOM + 6);
    const request = stage.run.line(stage.cursor).request;
    const shape = this.drawn.find(one => one.type === "request" && one.request === request);
    if (shape) {
      context.lineWidth = 3;
      context.strokeRect(shape.x - 1, shape.y - 1, shape.w + 2, shape.h + 2);
    }
    this.note("cursor", {x, y: HEADER, w: 0, h: this.height}, {event: stage.cursor});
  },
});
