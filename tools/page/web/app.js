// What the page shows follows from its address: the summary, or a run.

const app = {summary: null, view: null, runs: new Map()};
window.mirrorsim = app;  // for the console, and for tests

async function loadRun(number) {
  if (!app.runs.has(number)) {
    const block = await readBlock("run-" + number), near = await readBlock(`run-${number}-near`);
    const run = new Run(block, {}), nearest = near ? new Run(near, block.head) : null;
    app.runs.clear();  // one at a time: a long run takes much memory
    app.runs.set(number, {run, nearest});
  }
  return app.runs.get(number);
}

function showOnly(element, title) {
  app.view?.stop();
  document.title = title;
  document.getElementById("home").hidden = app.single || element === app.summary.element;
  document.getElementById("content").replaceChildren(element);
}

function showMissing(place) {
  const all = make("a", {href: "#"}, "all runs");
  showOnly(make("p", {class: "missing"}, `The run ${place.get("run")} is not in this report in full (--all takes in those that passed). See `, all, "."), "mirrorsim report");
  app.view = null;
}

async function showRun(place) {
  const row = app.summary.find(place);
  if (!row || row.full === 0) return showMissing(place);
  const {run, nearest} = await loadRun(row.full);
  const view = new RunView(run, nearest, row.seeds === 1 && row.seed > 0 ? `seed ${row.seed}` : "");
  showOnly(view.element, `${row.outcome.toUpperCase()} ${row.title} · mirrorsim`);
  app.view = view;
  view.row = row;
  view.follow(place);
  view.place = app.summary.place(row);
}

async function route() {
  const place = new URLSearchParams(location.hash.slice(1));
  if (place.has("run")) {
    const same = app.view?.row && app.summary.find(place) === app.view.row;
    if (same) app.view.follow(place);
    else await showRun(place);
  } else if (app.single) {
    await showRun(new URLSearchParams(app.summary.place(app.summary.rows[0])));
  } else {
    app.summary.follow(place);
    showOnly(app.summary.element, "mirrorsim report");
    app.view = null;
  }
  app.ready = true;
}

function redrawAll() {
  hatchings.clear();
  app.view?.stage.changed("view");
  app.view?.near?.map.redraw();
  app.view?.curves.build();
}

async function begin() {
  const block = await readBlock("summary");
  app.summary = new Summary(block);
  if (block.head.coverage) app.summary.element.append(new Coverage(block.head.coverage, app.summary).element);
  app.single = app.summary.rows.length === 1 && app.summary.rows[0].full > 0;
  window.addEventListener("hashchange", route);
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", redrawAll);
  window.addEventListener("beforeprint", redrawAll);
  await route();
}

begin().catch(error => {
  document.getElementById("content").replaceChildren(make("p", {class: "missing"}, `This page can't be shown: ${error.message}. It needs a browser of 2023 or later.`));
});
