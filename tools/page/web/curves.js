// Curves: counters over the same time axis as the map. uPlot draws them, if the program was built with it.

const CURVE_POINTS = 3000;
const POWERS_OF_TWO = Array.from({length: 53}, (_, i) => 2 ** i);

class Curves {
  constructor(stage) {
    this.stage = stage;
    this.element = make("div", {class: "curves"});
    this.plots = [];
    if (typeof uPlot === "undefined") {
      this.element.append(make("p", {class: "note"}, "Curves are left out: this mirrorsim was built without uPlot."));
      return;
    }
    stage.listeners.push(what => this.follow(what));
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  // The samples of a counter as a staircase over events; of many, the lowest and highest of each stretch.
  series(counter, node) {
    const {samples, count} = this.stage.run, events = [], values = [];
    for (let i = 0; i < samples.count; i++) {
      if (samples.counter[i] === counter && (node == null || samples.node[i] === node)) {
        events.push(samples.event[i]);
        values.push(samples.value[i]);
      }
    }
    if (events.length > 0) {
      events.push(count - 1);
      values.push(values[values.length - 1]);
    }
    return this.thinned(events, values);
  }

  thinned(events, values) {
    if (events.length <= CURVE_POINTS) return [events, values];
    const step = Math.ceil(events.length / CURVE_POINTS * 2), keptEvents = [], keptValues = [];
    for (let i = 0; i < events.length; i += step) {
      const end = Math.min(events.length, i + step);
      let low = i, high = i;
      for (let j = i; j < end; j++) {
        if (values[j] < values[low]) low = j;
        if (values[j] > values[high]) high = j;
      }
      for (const j of low < high ? [low, high] : [high, low]) {
        keptEvents.push(events[j]);
        keptValues.push(values[j]);
      }
    }
    return [keptEvents, keptValues];
  }

  groups() {
    const {plan} = this.stage.run.head, disks = plan.disks.map((disk, node) => [COUNTER.IN_FLIGHT, node, "in flight on " + disk.name]);
    return [
      {title: "bytes dirty and in flight", size: true, lines: [[COUNTER.DIRTY, null, "dirty"], ...disks]},
      {title: "progress", size: true, lines: [[COUNTER.OFFSET, null, "offset"], [COUNTER.LEN, null, "len"]]},
      {title: "guest latency", size: false, lines: [[COUNTER.LATENCY, null, "latency"]]},
    ];
  }

  // uPlot wants one list of places for all lines of a plot.
  joined(lines) {
    const places = [...new Set(lines.flatMap(line => line.data[0]))].sort((a, b) => a - b), time = this.stage.time;
    const at = new Map(places.map((event, i) => [event, i]));
    const columns = lines.map(({data: [events, values]}) => {
      const column = new Array(places.length).fill(undefined);
      events.forEach((event, i) => { column[at.get(event)] = values[i]; });
      for (let i = 1; i < column.length; i++) if (column[i] === undefined) column[i] = column[i - 1];
      return column.map(value => value === undefined ? null : value);
    });
    return [places.map(event => time.at(event)), ...columns];
  }

  plot(group, colours) {
    const lines = group.lines.map(([counter, node, word]) => ({word, data: this.series(counter, node)})).filter(line => line.data[0].length > 1);
    if (lines.length === 0) return null;
    const word = group.size ? shortSize : value => shortTime(Math.round(value));
    const strokes = [colours.line, colours.read, colours.write, colours.active, colours.guest, colours.ink];
    const host = make("figure", {class: "curve"}, make("figcaption", {}, group.title));
    const options = {
      width: Math.max(100, this.element.clientWidth), height: 92, legend: {show: false}, cursor: {show: false}, select: {show: false},
      padding: [4, 8, 2, 0],
      scales: {x: {time: false, range: () => [this.stage.x0, this.stage.x1]}, y: {range: (plot, low, high) => [0, Math.max(1, high) * 1.08]}},
      axes: [{show: false}, {size: LEFT, stroke: colours.faint, grid: {stroke: colours.grid, width: 1}, font: "11px system-ui", values: (plot, ticks) => ticks.map(word), space: 26, ...(group.size ? {incrs: POWERS_OF_TWO} : {})}],
      series: [{}, ...lines.map((line, i) => ({label: line.word, stroke: strokes[i % strokes.length], width: 1.5, dash: i > 0 ? [6 - i, 2] : [], points: {show: false}, paths: uPlot.paths.stepped({align: 1})}))],
    };
    const plot = new uPlot(options, this.joined(lines), host);
    const legend = make("span", {class: "legend"}, ...lines.map((line, i) => make("span", {style: `color:${strokes[i % strokes.length]}`}, (i > 0 ? "┄ " : "─ ") + line.word)));
    host.querySelector("figcaption").append(" ", legend);
    host.setAttribute("aria-label", `${group.title}: ${lines.map(line => `${line.word} up to ${word(Math.max(...line.data[1]))}`).join(", ")}`);
    return {plot, host, group};
  }

  build() {
    if (typeof uPlot === "undefined" || !this.element.isConnected) return;
    const colours = palette();
    for (const {plot} of this.plots) plot.destroy();
    this.plots = this.groups().map(group => this.plot(group, colours)).filter(Boolean);
    this.axis = this.stage.time.isTrue;
    this.element.replaceChildren(...this.plots.map(({host}) => host));
  }

  follow(what) {
    if (what !== "view" || this.plots.length === 0) return;
    if (this.axis !== this.stage.time.isTrue) {
      this.build();
      return;
    }
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      for (const {plot} of this.plots) plot.setScale("x", {min: this.stage.x0, max: this.stage.x1});
    });
  }

  resize() {
    const width = this.element.clientWidth;
    if (this.plots.length === 0) this.build();
    else if (width > 0 && width !== this.plots[0].plot.width) for (const {plot} of this.plots) plot.setSize({width, height: 92});
  }
}
