// Lanes: what the job did, below the map, on the same time axis.

const LANE_HEIGHT = 18, TRACKS = 4;

class Lanes extends Drawing {
  constructor(stage) {
    super();
    this.stage = stage;
    this.canvas = make("canvas", {class: "lanes", role: "img", "aria-label": "Status and phases of the job, drained sections, holds, and requests in flight by disk"});
    this.element = make("div", {class: "lanes-frame"}, this.canvas);
    this.rows = this.findRows();
    this.drawn = [];
    stage.listeners.push(() => this.redraw());
    this.watch(this.element);
    this.canvas.addEventListener("click", event => this.click(event.offsetX, event.offsetY));
  }

  // Bars of a row do not lie on one another: they are put on tracks; what fits on none is left out and counted.
  row(name, bars, colour) {
    const ends = [];
    let left = 0;
    for (const bar of bars) {
      let track = ends.findIndex(end => end <= bar.from);
      if (track < 0 && ends.length < TRACKS) track = ends.push(0) - 1;
      if (track < 0) left++;
      else ends[track] = Number.isFinite(bar.to) ? bar.to : Infinity;
      bar.track = track;
    }
    return {name, bars: bars.filter(bar => bar.track >= 0), tracks: Math.max(1, ends.length), colour, left};
  }

  findRows() {
    const {run} = this.stage, {periods, requests, head} = run, rows = [];
    const bars = (lane, word) => {
      const found = [];
      for (let i = 0; i < periods.count; i++) {
        if (periods.lane[i] === lane) found.push({from: periods.from[i], to: periods.to[i], quiet: periods.quietNs[i], word: word(i)});
      }
      return found;
    };
    rows.push(this.row("status", bars(LANE.STATUS, i => head.statuses[periods.value[i]]), "line"));
    rows.push(this.row("phase", bars(LANE.PHASE, i => head.phases[periods.value[i]] ?? "phase " + periods.value[i]), "hole"));
    rows.push(this.row("drained", bars(LANE.SECTION, i => periods.value[i] === 255 ? "all" : run.disk(periods.node[i])), "active"));
    rows.push(this.row("held", bars(LANE.HOLD, i => head.plan.faults[periods.value[i]].name), "fault"));
    const waiting = [];
    for (let i = 0; i < requests.count; i++) {
      if (requests.by[i] === BY.GUEST && requests.submit[i] > requests.came[i] + 1) waiting.push({from: requests.came[i], to: requests.submit[i], word: run.requestName(i)});
    }
    rows.push(this.row("queued", waiting, "guest"));
    head.plan.disks.forEach((disk, node) => {
      const flying = [];
      for (let i = 0; i < requests.count; i++) {
        if (requests.node[i] === node && Number.isFinite(requests.submit[i])) flying.push({from: requests.submit[i], to: requests.done[i], request: i, word: run.requestName(i)});
      }
      rows.push(this.row("on " + disk.name, flying, null));
    });
    return rows.filter(row => row.bars.length > 0);
  }

  x(units) {
    const {x0, x1} = this.stage;
    return LEFT + (units - x0) / (x1 - x0) * (this.width - LEFT - 8);
  }

  colourOf(row, bar, colours) {
    if (row.colour) return colours[row.colour];
    const {requests, head} = this.stage.run, by = requests.by[bar.request];
    return by === BY.GUEST ? colours.guest : by === BY.ACTIVE ? colours.active : head.ops[requests.op[bar.request]] === "read" ? colours.read : colours.write;
  }

  draw() {
    const heights = this.rows.map(row => Math.max(LANE_HEIGHT, row.tracks * 12 + 6));
    const {context, width} = sized(this.canvas, heights.reduce((sum, height) => sum + height, 2));
    const colours = palette();
    this.width = width;
    this.drawn = [];
    let top = 1;
    this.rows.forEach((row, number) => {
      this.drawRow(context, colours, row, top, heights[number]);
      top += heights[number];
    });
    if (this.stage.cursor != null) {
      context.fillStyle = colours.ink;
      context.fillRect(this.x(this.stage.time.at(this.stage.cursor)), 0, 1, top);
    }
  }

  drawRow(context, colours, row, top, height) {
    const each = (height - 4) / row.tracks, ends = new Array(row.tracks).fill(-1);
    context.fillStyle = colours.faint;
    context.textAlign = "right";
    context.fillText(cut(context, row.name, LEFT - 8), LEFT - 6, top + height / 2);
    context.textAlign = "left";
    context.fillStyle = colours.grid;
    context.fillRect(LEFT, top + height - 1, this.width, 1);
    for (const bar of row.bars) {
      const from = Math.max(LEFT, this.x(this.stage.time.at(bar.from))), to = Math.min(this.width, this.x(this.stage.time.at(bar.to)));
      if (to < LEFT || from > this.width || to - ends[bar.track] < 0.5) continue;
      ends[bar.track] = to;
      const y = top + 1 + bar.track * each, colour = this.colourOf(row, bar, colours);
      context.globalAlpha = 0.35;
      context.fillStyle = colour;
      context.fillRect(from, y, Math.max(1.5, to - from), each - 1);
      context.globalAlpha = 1;
      context.fillRect(from, y, 1.5, each - 1);
      if (to - from > 16) {
        context.fillStyle = colours.ink;
        context.fillText(cut(context, bar.word, to - from - 6), from + 4, y + each / 2);
      }
      this.drawn.push({type: row.name, x: from, y, w: to - from, h: each - 1, event: bar.from, word: bar.word});
    }
    if (row.left > 0) {
      context.fillStyle = colours.faint;
      context.fillText(`+${row.left} at the same time`, this.width - 120, top + height - 7);
    }
  }

  click(x, y) {
    const bar = this.drawn.find(one => x >= one.x - 2 && x <= one.x + one.w + 2 && y >= one.y && y <= one.y + one.h);
    this.stage.look(bar ? bar.event : this.stage.time.eventAt(this.stage.x0 + (x - LEFT) / (this.width - LEFT - 8) * (this.stage.x1 - this.stage.x0)));
  }
}
