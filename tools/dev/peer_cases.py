# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases of scenario files, read as stories, with our run of each."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import yaml

from peer_limits import LONGEST_SCRIPT, all_that_cannot, real_time_lines
from peer_story import CannotRead, Map, Story, cases_of, disk_of, plain, replaced


def ask(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode not in (0, 1):
        raise CannotRead(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def read_text(path):
    return plain(yaml.compose(Path(path).read_text(encoding="utf-8")))


class Case(NamedTuple):
    """A story that is not read yet."""
    path: Path
    names: dict  # of the matrix: {name: value}
    run: dict  # what `mirrorsim run` says of it


def cases_in(program, path):
    """Each case of the file."""
    runs = json.loads(ask(program, "run", "--json", "--once", path))
    if runs["invalid"]:
        raise CannotRead(f"{path}: not a valid scenario")
    names = cases_of(read_text(path))
    told = [" ".join(f"{name}={value}" for name, value in case.items()) for case in names]
    if any(text != run["case_name"] for text, run in zip(told, runs["runs"], strict=True)):
        raise CannotRead(f"{path}: mirrorsim tells other cases of its matrix than are read here")
    return [Case(path, case, run) for case, run in zip(names, runs["runs"])]


def read_story(program, case):
    """The Story of a case, with the trace of our run of it, unless that is too long."""
    path, names, run = case
    text = read_text(path)
    names = {**text.get("vars", {}), **names}
    text = replaced(text, names)
    disks = {name: disk_of(name, number, said, names) for number, (name, said) in enumerate(text["disks"].items())}
    told = ask(program, "trace", "--json", "--case", run["case"], path) if run["trace_events"] <= LONGEST_SCRIPT else ""
    trace = [json.loads(line) for line in told.splitlines()]
    story = Story(path, run["case_name"], text["name"], disks, text["job"], "commit" in text["job"], text.get("faults", Map()),
                  trace, run, [])
    story.cannot = list(all_that_cannot(text, story))
    story.real_time = list(real_time_lines(text, story))
    return story
