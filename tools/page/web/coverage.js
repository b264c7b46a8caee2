// Coverage, if the report was given any: what happened to the job in which phase, and which scenarios cite which rule.

class Coverage {
  constructor(coverage, summary) {
    this.coverage = coverage;
    this.summary = summary;
    this.cheapest = new Map();
    for (const row of summary.rows) {
      const best = this.cheapest.get(row.file);
      if (!best || row.events < best.events) this.cheapest.set(row.file, row);
    }
    const {total} = coverage, shares = Object.entries(total).map(([kind, {reached, of}]) => `${reached} of ${of} ${kind}`);
    this.element = make("section", {class: "coverage", "aria-label": "Coverage"}, make("h2", {}, "Coverage"), make("p", {}, "Reached: " + shares.join(", ")),
      ...this.tables(), this.rules());
  }

  // The run with the fewest events of those that reach a cell.
  runOf(cell) {
    const rows = cell.scenarios.map(i => this.cheapest.get(this.coverage.files[i])).filter(Boolean);
    return rows.reduce((best, row) => !best || row.events < best.events ? row : best, null);
  }

  tables() {
    const {cells} = this.coverage.behaviour, generations = [["2.2", cell => !cell.phase.startsWith("modern ")], ["modern", cell => cell.phase.startsWith("modern ")]];
    return generations.map(([name, is]) => this.table(name, cells.filter(is))).filter(Boolean);
  }

  table(name, cells) {
    if (cells.length === 0) return null;
    const whats = [...new Set(cells.map(cell => cell.what))], phases = [...new Set(cells.map(cell => cell.phase))];
    const at = new Map(cells.map(cell => [cell.phase + "\n" + cell.what, cell])), most = Math.max(1, ...cells.map(cell => cell.count));
    const holes = cells.filter(cell => cell.count === 0 && !cell.impossible).length;
    const row = phase => make("tr", {}, make("th", {scope: "row"}, phase.replace(/^modern /, "")), ...whats.map(what => this.cell(at.get(phase + "\n" + what), most)));
    return make("details", {open: true}, make("summary", {}, `Generation ${name}: what happened in which phase; ${plural(holes, "cell")} of ${cells.length} not reached`),
      make("div", {class: "wide"}, make("table", {class: "heat"}, make("thead", {}, make("tr", {}, make("td", {}), ...whats.map(what => make("th", {scope: "col"}, make("span", {}, what))))),
        make("tbody", {}, ...phases.map(row)))));
  }

  cell(cell, most) {
    if (!cell) return make("td", {class: "none"});
    const words = `${cell.what} in ${cell.phase}: ${cell.count > 0 ? plural(cell.count, "time") : cell.impossible ? "impossible: " + cell.impossible : "not reached"}`;
    if (cell.count === 0) return make("td", {class: cell.impossible ? "impossible" : "hole", title: words, "aria-label": words}, cell.impossible ? "" : "!");
    const run = this.runOf(cell), heat = Math.round(15 + 75 * Math.log(1 + cell.count) / Math.log(1 + most));
    const place = run && (run.full > 0 ? this.summary.place(run) : new URLSearchParams({q: run.file}).toString());
    return make("td", {class: "reached", title: words, style: `--heat: ${heat}%`}, run ? make("a", {href: "#" + place, "aria-label": `${words}; for instance ${run.title}`}, "·") : null);
  }

  rules() {
    const {rules, missing} = this.coverage, names = Object.keys(rules).sort((a, b) => a.localeCompare(b, "en", {numeric: true}));
    const item = name => make("tr", {}, make("th", {scope: "row"}, name), make("td", {class: "figure"}, String(rules[name].length)),
      make("td", {class: "figure"}, String(missing[name.split(" ").pop()] ?? 0)),
      make("td", {}, ...rules[name].slice(0, 6).flatMap(file => [make("a", {href: "#" + new URLSearchParams({q: file})}, file.split("/").pop().replace(/\.yaml$/, "")), " "]), rules[name].length > 6 ? `and ${rules[name].length - 6} more` : ""));
    return make("details", {}, make("summary", {}, `${plural(names.length, "rule")} that scenarios cite`), make("div", {class: "wide"}, make("table", {class: "rules"},
      make("thead", {}, make("tr", {}, ...["rule", "scenarios", "lines not reached", "for instance"].map(word => make("th", {scope: "col"}, word)))), make("tbody", {}, ...names.map(item)))));
  }
}
