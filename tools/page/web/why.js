// Why a run failed: what explain says, as steps that are played in the map, and what the finding depends on.

const STEP_MS = 1300;

class Why {
  constructor(stage, why, finding) {
    this.stage = stage;
    this.at = -1;
    this.chain = why.chain.filter(step => step.event < stage.run.count);
    stage.steps = this.chain.map((step, i) => ({event: step.event, number: i + 1, wrong: !!step.wrong, text: step.text, address: this.placeOf(step.event, finding)}));
    this.items = this.chain.map((step, i) => make("li", {},
      make("button", {type: "button", class: step.wrong ? "step wrong" : "step", onclick: () => this.go(i)},
        make("span", {class: "number"}, String(i + 1)),
        make("span", {}, make("span", {class: "when"}, timeWord(step.time_ns) + " "), make("span", {class: "what"}, step.text),
          step.wrong ? make("strong", {}, "Here: " + step.wrong) : null))));
    this.play = make("button", {type: "button", class: "play", onclick: () => this.toggle()}, "▶ Play");
    this.list = make("ol", {class: "chain"}, ...this.items);
    this.element = make("section", {class: "why", "aria-label": "Why"},
      make("div", {class: "bar"}, this.play,
        make("button", {type: "button", "aria-label": "Step before", onclick: () => this.go(this.at - 1)}, "◀"),
        make("button", {type: "button", "aria-label": "Next step", onclick: () => this.go(this.at + 1)}, "▶|"),
        make("span", {class: "note"}, plural(this.chain.length, "step"))),
      why.summary ? make("p", {class: "sum"}, why.summary) : null,
      why.state ? make("p", {class: "note"}, why.state) : null,
      this.list, ...this.dependsOn(why));
    this.element.addEventListener("keydown", event => this.key(event));
  }

  // Steps without an address of their own are shown at the top; those that touch the sector, at the sector.
  placeOf(event, finding) {
    const {run} = this.stage, i = run.byNumber.get(run.line(event).request);
    const [offset, bytes] = i !== undefined ? [run.requests.offset[i], run.requests.bytes[i]] :
      /^dirty-(set|clear)$/.test(run.kind(event)) ? [Number(run.field(event, "offset")), Number(run.field(event, "bytes"))] : [0, 0];
    if (bytes === 0) return null;
    const sector = finding?.sector == null ? null : finding.sector * 512;
    return sector != null && sector >= offset && sector < offset + bytes ? sector : offset;
  }

  go(i) {
    if (i < 0 || i >= this.chain.length) return this.stop();
    this.at = i;
    this.stage.step = this.stage.steps[i];
    this.items.forEach((item, j) => item.firstChild.toggleAttribute("aria-current", j === i));
    const item = this.items[i], list = this.list;
    if (item.offsetTop < list.scrollTop || item.offsetTop + item.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = item.offsetTop - 20;
    this.stage.look(this.chain[i].event, this.stage.steps[i].address);
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.at >= this.chain.length - 1) this.at = -1;
    this.play.textContent = "⏸ Pause";
    this.go(this.at + 1);
    this.timer = setInterval(() => this.go(this.at + 1), STEP_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "▶ Play";
  }

  key(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    this.go(this.at + (event.key === "ArrowDown" ? 1 : -1));
    this.items[this.at]?.firstChild.focus({preventScroll: true});
  }

  dependsOn(why) {
    if (!why.counterfactuals) return [];
    const head = make("h3", {}, "What it depends on");
    if (!why.repeats) return [head, make("p", {}, "Unknown: replaying the recorded choices does not give the finding.")];
    const parts = [["gone", "The finding is gone without"], ["changes", "Another finding takes its place without"],
                   ["no end", "It is gone, but the story does not end without"], ["still there", "It is still there without"]];
    const lists = parts.map(([outcome, title]) => {
      const all = why.counterfactuals.filter(one => one.finding === outcome), some = all.slice(0, 12);
      if (all.length === 0) return null;
      return make("div", {}, make("h4", {}, title), make("ul", {class: "without"}, ...some.map(one => make("li", {}, one.without + (one.becomes ? ": " + one.becomes : "") + (one.elsewhere ? ", for another sector" : ""))),
        all.length > some.length ? make("li", {}, `and ${all.length - some.length} more`) : null));
    });
    if (why.counterfactuals.length === 0) lists.push(make("p", {}, "Nothing: the plain copy has the finding."));
    return [head, ...lists.filter(Boolean)];
  }
}
