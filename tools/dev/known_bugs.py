# SPDX-License-Identifier: LGPL-2.1-or-later
"""The known bugs of tests/bugs/ as variants of the program: what each patch says, its sources, its runs.

Used by tools/dev/bugs and tools/dev/worth."""

import json
import re
import subprocess
from collections import namedtuple
from pathlib import Path

from variant import ROOT

FOLDER = ROOT / "tests/bugs"
FIELDS = ("Bug", "Rule", "Symptom", "Scenario", "Oracle", "Kind")
# Where the patches of a generation are, the file with its engine's name, that name, and its scenarios.
Generation = namedtuple("Generation", "folder engine name scenarios")
OLD = Generation(FOLDER, "engine/2.2/mirror_engine.c", "mirror",
                 sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "scenarios").glob("*/")
                        if path.name != "modern"))
MODERN = Generation(FOLDER / "modern", "engine/modern/engine.c", "modern", ["scenarios/modern"])
GENERATIONS = (OLD, MODERN)
# Without --twice, because the second run checks the engine's own invariants, and a bug would show as
# a crash. A run that loops for ever is given up after a quarter of a second; the longest needs a tenth of that.
RUN = ("run", "--once", "--json", "--quiet", "--jobs", "1", "--cpu-limit", "0.25")
# Code that a bug leaves unused is no error.  -O1 compiles faster, and the runs are short.
FLAGS = ("-w", "-Wno-error", "-g0", "-O1")

Bug = namedtuple("Bug", "name fields patch generation")


class Unusable(Exception):
    """A patch whose head is incomplete, or that does not apply."""


def rows_of(generation):
    return (generation.folder / "rows").read_text(encoding="utf-8").split()


def generation_of(name):
    return next((generation for generation in GENERATIONS if name in rows_of(generation)), OLD)


def read_bug(name):
    generation = generation_of(name)
    try:
        text = (generation.folder / f"{name}.patch").read_text(encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{name}.patch can't be read: {error.strerror}") from None
    head, _, patch = text.partition("\n\n")
    fields = dict(re.findall(r"^(\w+): (.*)$", head, re.MULTILINE))
    missing = [field for field in FIELDS if not fields.get(field)]
    if missing:
        raise Unusable(f"{name}.patch does not say: {', '.join(missing)}")
    if fields["Bug"] != name:
        raise Unusable(f"{name}.patch is about {fields['Bug']}")
    return Bug(name, fields, patch, generation)


def changed_sources(bug, work):
    """{path: text} of the files that the patch changes, and of the file with the engine's name."""
    paths = re.findall(r"^--- a/(\S+)$", bug.patch, re.MULTILINE)
    engine = bug.generation.engine
    copy = Path(work) / "patched"
    for path in {*paths, engine}:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text((ROOT / path).read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "--silent", "--force"], cwd=copy,
                          input=bug.patch, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unusable(f"{bug.name}.patch does not apply: {done.stdout.strip() or done.stderr.strip()}")
    texts = {path: (copy / path).read_text(encoding="utf-8") for path in {*paths, engine}}
    named = texts[engine].replace(f'.name = "{bug.generation.name}"', f'.name = "{bug.name}"')
    if named == texts[engine]:
        raise Unusable(f"{engine} has no name that could be replaced")
    texts[engine] = named
    return texts


def run_suite(program, paths):
    """All runs of these scenarios."""
    done = subprocess.run([str(program), *RUN, *map(str, paths)], cwd=ROOT, capture_output=True, text=True)
    try:
        return json.loads(done.stdout)["runs"]
    except (ValueError, KeyError):
        raise Unusable(f"the run gave no result: {done.stderr.strip()[:300]}") from None


def fails(run):
    return run["outcome"] in ("fail", "xpass")
