// The page of one run.

const LEGEND = [["copy", "read", "the job's read"], ["copy", "write", "its write; dashed: in flight"], ["guest", "guest", "guest"],
                ["active", "active", "active copy"], ["dirty", "dirty", "dirty"], ["fault", "fault", "fault, held (striped)"]];

class RunView {
  constructor(run, near, story) {
    this.run = run;
    this.finding = run.head.findings[0] ?? null;
    this.stage = new Stage(run, this.finding);
    this.map = new RunMap(this.stage, this.mapLabel());
    this.map.element.classList.add("main-map");
    this.trace = new TraceList(this.stage);
    this.scenario = new ScenarioText(this.stage);
    this.why = run.head.why ? new Why(this.stage, run.head.why, this.finding) : null;
    this.near = near ? this.nearest(near) : null;
    this.element = make("article", {class: "run"}, this.header(story), make("div", {class: "columns"}, this.pictures(), this.side()));
    this.stage.listeners.push(() => this.remember());
  }

  mapLabel() {
    const {run} = this;
    return `Map of the run: ${plural(run.requests.count, "request")} over ${timeWord(run.endNs)}. ${this.finding ? this.finding.text : ""} ${MAP_KEYS} The same as a table follows.`;
  }

  header(story) {
    const {head} = this.run, findings = head.findings.map((finding, i) => make("li", {class: i === 0 ? "first" : ""},
      make("b", {}, `${finding.oracle} (${finding.kind}) `), make("a", {href: "#", onclick: event => { event.preventDefault(); this.goTo(finding); }}, `at ${timeWord(finding.time_ns)}`),
      " ", finding.text));
    return make("header", {},
      make("h1", {}, make("span", {class: "badge " + head.outcome}, head.outcome.toUpperCase()), " ", head.title),
      make("p", {class: "note"}, `${head.file} · ${timeWord(head.virtualNs)} · ${head.cut ? "the first " : ""}${plural(this.run.count, "event")} · generation ${head.plan.generation}${story ? " · " + story : ""}${head.bug ? " · known: " + head.bug : ""}`),
      findings.length ? make("ul", {class: "findings"}, ...findings.slice(0, 1)) : null,
      findings.length > 1 ? make("details", {}, make("summary", {}, `${findings.length - 1} more`), make("ul", {class: "findings"}, ...findings.slice(1))) : null,
      head.doc ? make("details", {open: findings.length === 0}, make("summary", {}, "What the scenario is about"), ...head.doc.trim().split(/\n\s*\n/).map(text => make("p", {class: "doc"}, text.replace(/\s*\n\s*/g, " ")))) : null);
  }

  goTo(finding) {
    this.stage.look(Math.min(finding.event, this.run.count - 1), finding.sector == null ? null : finding.sector * 512);
    this.map.canvas.scrollIntoView({block: "nearest"});
  }

  button(word, title, action, pressed) {
    return make("button", {type: "button", title, "aria-pressed": pressed, onclick: event => {
      action();
      if (pressed != null) event.currentTarget.setAttribute("aria-pressed", String(event.currentTarget.getAttribute("aria-pressed") !== "true"));
    }}, word);
  }

  legend() {
    const {requests, ranges, periods} = this.run, has = {};
    for (let i = 0; i < requests.count; i++) {
      has[["", "copy", "guest", "active"][requests.by[i]]] = true;
      has.fault ||= requests.fault[i] > 0;
    }
    for (let i = 0; i < ranges.count && !has.dirty; i++) has.dirty = ranges.kind[i] === RANGE.DIRTY;
    for (let i = 0; i < periods.count && !has.fault; i++) has.fault = periods.lane[i] === LANE.HOLD;
    return make("div", {class: "legend", role: "group", "aria-label": "What the map shows"},
      ...LEGEND.filter(([key]) => has[key]).map(([key, colour, word]) => make("button", {type: "button", "aria-pressed": "true", "data-key": key, onclick: event => {
        const on = this.map.hidden.delete(key);
        if (!on) this.map.hidden.add(key);
        for (const button of event.currentTarget.parentElement.querySelectorAll(`[data-key=${key}]`)) button.setAttribute("aria-pressed", String(on));
        this.map.redraw();
      }}, make("i", {class: "swatch " + colour}), word)), make("span", {class: "note"}, "▼ effect"));
  }

  pictures() {
    const {stage} = this, axisNote = make("p", {class: "note axis-note"});
    const say = () => {
      axisNote.textContent = `Time ${stage.time.isTrue ? "to scale" : "not to scale: every event has room, idle time is folded"}; addresses ${stage.address.isTrue ? "to scale" : "not to scale: bands by the logarithm of their size, untouched ones folded"}.`;
    };
    stage.listeners.push(say);
    say();
    const zoom = factor => stage.zoom(factor, (stage.x0 + stage.x1) / 2, null);
    this.lanes = new Lanes(stage);
    this.curves = new Curves(stage);
    const table = make("details", {class: "table"}, make("summary", {}, "The map as a table"));
    table.addEventListener("toggle", () => { if (table.open && table.children.length === 1) table.append(this.map.table()); });
    return make("div", {class: "pictures"},
      make("div", {class: "bar"}, this.legend(),
        make("span", {class: "buttons"}, this.button("+", "Zoom in", () => zoom(0.6)), this.button("−", "Zoom out", () => zoom(1.6)),
          this.button("All", "Show all", () => { stage.reset(); stage.changed("view"); }),
          this.button("true time", "Time to scale", () => stage.toggle(stage.time), "false"),
          this.button("true addresses", "Addresses to scale", () => stage.toggle(stage.address), "false"))),
      this.map.element, axisNote, this.lanes.element, this.curves.element, table,
      this.near?.element ?? null);
  }

  // The same without one thing, with the first difference marked.
  nearest(near) {
    const stage = new Stage(near, null), {head} = this.run, map = new RunMap(stage, `Map of the nearest run without the finding: without ${head.near.without}`);
    stage.difference = Math.min(head.near.difference, near.count - 1);
    const line = event => event < near.count ? near.lineText(event).trim() : "the end";
    const own = event => event < this.run.count ? this.run.lineText(event).trim() : "the end";
    return {stage, map, element: make("section", {class: "near"},
      make("h2", {}, `Nearest run without the finding: without ${head.near.without}`),
      make("p", {class: "note"}, `Equal up to event ${head.near.difference}. Then this run has`), make("pre", {}, own(head.near.difference)),
      make("p", {class: "note"}, "and the other"), make("pre", {}, line(head.near.difference)), map.element)};
  }

  side() {
    const {head} = this.run;
    const tabs = [["Why", this.why?.element], ["Trace", this.trace.element], ["Scenario", head.text ? this.scenario.element : null],
                  ["Repeat", make("div", {class: "repeat"}, make("h3", {}, "Run it again"), commandLine(head.repeat), make("h3", {}, "The whole trace"), commandLine(head.traceCommand))]].filter(([, element]) => element);
    const panels = tabs.map(([name, element]) => make("div", {class: "panel", role: "tabpanel", id: "panel-" + name, "aria-label": name}, element));
    const buttons = tabs.map(([name], i) => make("button", {type: "button", role: "tab", id: "tab-" + name, "aria-controls": "panel-" + name, onclick: () => this.tab(i)}, name));
    this.tabs = buttons.map((button, i) => ({button, panel: panels[i], name: tabs[i][0]}));
    const bar = make("div", {class: "tabs", role: "tablist"}, ...buttons);
    bar.addEventListener("keydown", event => {
      const now = this.tabs.findIndex(({button}) => button === document.activeElement), way = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!way) return;
      this.tab((now + way + this.tabs.length) % this.tabs.length);
      this.tabs.find(({panel}) => !panel.hidden).button.focus();
    });
    this.tab(0);
    return make("aside", {class: "side", "aria-label": "Why, trace and scenario"}, bar, ...panels);
  }

  tab(number) {
    this.tabs.forEach(({button, panel}, i) => {
      button.setAttribute("aria-selected", String(i === number));
      button.tabIndex = i === number ? 0 : -1;
      panel.hidden = i !== number;
    });
    if (this.tabs[number].name === "Trace") {
      if (this.stage.cursor != null) this.trace.reveal();
      this.trace.redraw();
    }
    if (this.tabs[number].name === "Scenario" && this.stage.cursor != null) this.scenario.mark();
  }

  // The address of the page says where one is, to be pasted into a report.
  remember() {
    const {stage} = this;
    if (stage.cursor == null || !this.place) return;
    const place = new URLSearchParams(this.place);
    place.set("event", stage.cursor);
    if (stage.cursorAddress != null) place.set("sector", Math.floor(stage.cursorAddress / 512));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => history.replaceState(null, "", "#" + place), 150);
  }

  // A deep link: event=N or t=3.47ms, and sector=N.
  follow(place) {
    const event = place.has("event") ? Number(place.get("event")) : place.has("t") ? this.run.eventAt(nsOf(place.get("t"))) : null;
    const sector = place.has("sector") ? Number(place.get("sector")) * 512 : undefined;
    if (event != null && Number.isFinite(event)) this.stage.look(event, sector);
    else if (this.finding) this.stage.look(Math.min(this.finding.event, this.run.count - 1), this.finding.sector == null ? null : this.finding.sector * 512);
  }

  stop() {
    this.why?.stop();
  }
}

function nsOf(text) {
  const found = /^([\d.]+)\s*(s|ms|us|ns)?$/.exec(text);
  return found ? Number(found[1]) * {s: 1e9, ms: 1e6, us: 1e3, ns: 1}[found[2] ?? "ns"] : NaN;
}
