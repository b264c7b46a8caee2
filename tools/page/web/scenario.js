// The scenario's text. What was under way at the event that is looked at is marked: the step, and faults that hit or held.

class ScenarioText {
  constructor(stage) {
    const {run} = stage;
    this.stage = stage;
    this.lines = (run.head.text ?? "").replace(/\n$/, "").split("\n").map((text, i) =>
      make("div", {class: "source", "data-line": i + 1}, make("span", {class: "number"}, String(i + 1)), make("span", {}, text)));
    this.element = make("pre", {class: "scenario", tabindex: "0", "aria-label": "Scenario"}, ...this.lines);
    this.steps = [];
    this.faults = [];
    const steps = run.templates.map(([kind]) => kind === "step"), faults = run.templates.map(([kind]) => kind === "fault");
    for (let i = 0; i < run.count; i++) {
      if (steps[run.events.template[i]]) this.steps.push(i);
      else if (faults[run.events.template[i]]) this.faults.push(i);
    }
    stage.listeners.push(what => { if (what === "cursor") this.mark(); });
  }

  // The last one of the list at this event or before; -1: none.
  last(list, event) {
    return lowerBound(list, event + 1) - 1;
  }

  stepLine(event) {
    const i = this.last(this.steps, event);
    return i < 0 ? null : this.stage.run.field(this.steps[i], "line");
  }

  faultLines(event) {
    const {run} = this.stage, {periods, head} = run, lines = new Set();
    for (let i = 0; i < periods.count; i++) {
      if (periods.lane[i] === LANE.HOLD && periods.from[i] <= event && event <= periods.to[i]) lines.add(head.plan.faults[periods.value[i]].line);
    }
    const i = this.last(this.faults, event);
    if (i >= 0) {
      const request = run.byNumber.get(run.line(this.faults[i]).request);
      const until = request === undefined ? this.faults[i] : run.requests.over[request];
      if (event <= until) lines.add(head.plan.faults.find(fault => fault.name === run.field(this.faults[i], "fault"))?.line);
    }
    return lines;
  }

  mark() {
    const event = this.stage.cursor, step = this.stepLine(event), faults = this.faultLines(event);
    this.lines.forEach((line, i) => {
      line.classList.toggle("step-now", i + 1 === step);
      line.classList.toggle("fault-now", faults.has(i + 1));
      line.toggleAttribute("aria-current", i + 1 === step);
    });
    const now = step && this.lines[step - 1];
    if (now && this.element.clientHeight > 0) this.element.scrollTop = Math.max(0, now.offsetTop - this.element.clientHeight / 2);
  }
}
