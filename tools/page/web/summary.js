// The summary: all runs, to be searched and filtered; the findings in groups; the folders; several engines side by side.

const ROWS_SHOWN = 300;

class Summary {
  constructor(block) {
    const {head, runs} = block;
    this.head = head;
    this.rows = Array.from({length: runs.count}, (_, i) => this.rowOf(head, runs, i));
    this.filter = {q: "", outcome: "", folder: "", finding: "", engine: ""};
    this.shown = ROWS_SHOWN;
    this.body = make("tbody", {});
    this.status = make("p", {class: "note", role: "status"});
    this.search = make("input", {type: "search", placeholder: "search: file, name, case, finding", "aria-label": "Search the runs", oninput: () => this.set({q: this.search.value})});
    this.more = make("button", {type: "button", onclick: () => { this.shown *= 4; this.fill(); }}, "show more");
    this.groups = make("div", {class: "groups"});
    this.element = make("main", {class: "summary"}, this.header(), ...this.problems(), this.groups, this.matrix(),
      make("section", {"aria-label": "Runs"}, make("div", {class: "bar"}, this.search, this.outcomes()), this.status,
        make("div", {class: "wide"}, make("table", {class: "runs"}, make("thead", {}, make("tr", {}, ...["result", "scenario", "engine", "seed", "time", "events", "finding"].map(word => make("th", {scope: "col"}, word)))), this.body)), this.more));
    this.fill();
  }

  rowOf(head, runs, i) {
    const [file, name, number, cases, caseName] = head.stories[runs.story[i]], [outcome, bad] = head.outcomes[runs.outcome[i]];
    const finding = runs.finding[i] > 0 ? head.findings[runs.finding[i] - 1] : null, engine = head.engines[runs.engine[i]];
    const title = cases > 1 ? `${name} [${caseName || "case " + number}]` : name;
    const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
    return {file, folder, title, number, outcome, bad, finding, engine, full: runs.full[i], seed: runs.seed[i], seeds: runs.seeds[i], ns: runs.virtualNs[i], events: runs.events[i],
            more: runs.findings[i] - 1, group: finding ? `${finding[0]} (${finding[1]})` : outcome === "xpass" ? "passes though it was to fail" : "",
            text: [file, title, outcome, engine, finding ? finding.slice(0, 3).join(" ") : ""].join(" ").toLowerCase()};
  }

  place(row) {
    return new URLSearchParams({run: row.file, case: row.number, seed: row.seed, engine: row.engine}).toString();
  }

  header() {
    const {figures, version, engines} = this.head, good = figures.failed === 0 && figures.invalid === 0;
    const facts = [plural(figures.passed + figures.failed, "run"), `${figures.passed} passed`, `${figures.failed} failed`,
                   figures.known && `${figures.known} of the passed fail as expected`, figures.skipped && `${figures.skipped} skipped`, figures.interrupted && `interrupted: ${figures.planned} were planned`];
    return make("header", {}, make("h1", {}, make("span", {class: "badge " + (good ? "pass" : "fail")}, good ? "PASS" : "FAIL"), " mirrorsim report"),
      make("p", {class: "figures"}, facts.filter(Boolean).join(", ")), make("p", {class: "note"}, `mirrorsim ${version}; ${engines.length === 1 ? "engine" : "engines"} ${engines.join(", ")}`));
  }

  problems() {
    const {invalid, skipped} = this.head, parts = [];
    if (invalid.length) {
      parts.push(make("section", {class: "invalid"}, make("h2", {}, plural(invalid.length, "invalid file")), make("ul", {}, ...invalid.flatMap(({file, mistakes}) =>
        mistakes.slice(0, 20).map(({line, column, text}) => make("li", {}, `${file}:${line}:${column}: ${text}`))))));
    }
    if (skipped.length) {
      parts.push(make("details", {}, make("summary", {}, plural(skipped.length, "skipped story").replace("storys", "stories")),
        make("ul", {}, ...skipped.slice(0, 500).map(({title, file, why}) => make("li", {}, `${title} (${file}): ${why}`)))));
    }
    return parts;
  }

  set(change) {
    Object.assign(this.filter, change);
    this.shown = ROWS_SHOWN;
    this.fill();
    const place = new URLSearchParams(Object.entries(this.filter).filter(([, value]) => value));
    history.replaceState(null, "", place.size > 0 ? "#" + place : location.pathname + location.search);
  }

  follow(place) {
    for (const key of Object.keys(this.filter)) this.filter[key] = place.get(key) ?? "";
    this.search.value = this.filter.q;
    this.fill();
  }

  outcomes() {
    const counts = new Map();
    for (const row of this.rows) counts.set(row.outcome, (counts.get(row.outcome) ?? 0) + row.seeds);
    const engines = this.head.engines.length > 1 ? make("select", {"aria-label": "Engine", onchange: event => this.set({engine: event.target.value})},
      make("option", {value: ""}, "all engines"), ...this.head.engines.map(name => make("option", {value: name}, name))) : null;
    this.chips = [...counts].map(([outcome, count]) => make("button", {type: "button", class: "chip", "data-outcome": outcome, "aria-pressed": "false",
      onclick: () => this.set({outcome: this.filter.outcome === outcome ? "" : outcome})}, `${outcome} ${count}`));
    return make("span", {class: "chips", role: "group", "aria-label": "Results"}, ...this.chips, engines);
  }

  matches(row, without) {
    const {q, outcome, folder, finding, engine} = this.filter;
    return (!q || q.toLowerCase().split(/\s+/).every(word => row.text.includes(word))) && (!outcome || row.outcome === outcome) &&
      (!engine || row.engine === engine) && (without === "folder" || !folder || row.folder === folder || row.folder.startsWith(folder + "/")) &&
      (without === "finding" || !finding || row.group === finding);
  }

  // Buttons with the counts of something, the most failures first.
  choices(title, key, of) {
    const groups = new Map();
    for (const row of this.rows) {
      const name = of(row);
      if (!name || !this.matches(row, key)) continue;
      const group = groups.get(name) ?? {name, bad: 0, known: 0, all: 0};
      group.all += row.seeds;
      group.bad += row.bad ? row.seeds : 0;
      group.known += row.outcome === "xfail" ? row.seeds : 0;
      groups.set(name, group);
    }
    if (groups.size === 0) return null;
    const list = [...groups.values()].sort((a, b) => b.bad - a.bad || b.known - a.known || (a.name < b.name ? -1 : 1));
    const button = ({name, bad, known, all}) => make("li", {}, make("button", {type: "button", "aria-pressed": String(this.filter[key] === name), "data-name": name,
      onclick: () => this.set({[key]: this.filter[key] === name ? "" : name})},
      make("span", {class: "name"}, name), make("span", {class: bad ? "count bad" : known ? "count known" : "count"}, key === "finding" ? String(all) : bad ? `${bad} of ${all}` : known ? `${known} known of ${all}` : String(all))));
    return make("section", {class: "choices", "aria-label": title}, make("h2", {}, title), make("ul", {}, ...list.map(button)));
  }

  fill() {
    const rows = this.rows.filter(row => this.matches(row));
    const order = {fail: 0, invalid: 0, xpass: 1, xfail: 2};
    rows.sort((a, b) => (order[a.outcome] ?? 3) - (order[b.outcome] ?? 3));
    this.groups.replaceChildren(...[this.choices("Findings", "finding", row => row.group), this.choices("Folders", "folder", row => row.folder)].filter(Boolean));
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip.dataset.outcome === this.filter.outcome));
    this.body.replaceChildren(...rows.slice(0, this.shown).map(row => this.tableRow(row)));
    this.more.hidden = rows.length <= this.shown;
    this.status.textContent = `${Math.min(rows.length, this.shown)} of ${this.rows.length} rows shown` + (rows.length < this.rows.length ? `, ${rows.length} match` : "");
  }

  tableRow(row) {
    const name = row.full > 0 ? make("a", {href: "#" + this.place(row)}, row.title) : row.title;
    const seed = row.seeds > 1 ? `${row.seed}..${row.seed + row.seeds - 1}` : String(row.seed);
    const finding = row.finding ? make("span", {}, make("b", {}, row.group), " ", row.finding[2], row.more > 0 ? make("span", {class: "note"}, ` and ${row.more} more`) : null) : row.group;
    return make("tr", {class: row.outcome}, make("td", {}, make("span", {class: "badge " + row.outcome}, row.outcome)),
      make("th", {scope: "row"}, name, make("div", {class: "note"}, row.file)), make("td", {}, row.engine), make("td", {class: "figure"}, seed),
      make("td", {class: "figure"}, timeWord(row.ns)), make("td", {class: "figure"}, String(row.events)), make("td", {class: "finding"}, finding));
  }

  // Story by engine, of several: those that do not pass everywhere.
  matrix() {
    const {engines} = this.head, stories = new Map();
    if (!this.head.matrix) return null;  // several generations in one suite are no comparison
    for (const row of this.rows) {
      const key = row.file + "\n" + row.number, story = stories.get(key) ?? {row, cells: new Map()};
      const cell = story.cells.get(row.engine);
      if (!cell || cell.outcome === "pass") story.cells.set(row.engine, row);
      stories.set(key, story);
    }
    const list = [...stories.values()].filter(story => [...story.cells.values()].some(row => row.outcome !== "pass"));
    const cell = row => !row ? make("td", {class: "none"}, "–") : make("td", {class: row.outcome, title: row.finding?.[2] ?? row.outcome},
      row.full > 0 ? make("a", {href: "#" + this.place(row)}, row.group || row.outcome) : row.outcome);
    return make("section", {class: "matrix", "aria-label": "Engines"}, make("h2", {}, `Stories by engine: ${list.length} of ${stories.size} do not pass on all`),
      make("div", {class: "wide tall"}, make("table", {}, make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "story"), ...engines.map(name => make("th", {scope: "col"}, name)))),
        make("tbody", {}, ...list.slice(0, 1000).map(({row, cells}) => make("tr", {}, make("th", {scope: "row"}, row.title), ...engines.map(name => cell(cells.get(name)))))))));
  }

  find(place) {
    return this.rows.find(row => row.file === place.get("run") && row.number === Number(place.get("case") ?? 1) &&
      (!place.has("engine") || row.engine === place.get("engine")) && Number(place.get("seed") ?? 0) >= row.seed && Number(place.get("seed") ?? 0) < row.seed + row.seeds);
  }
}
