# SPDX-License-Identifier: LGPL-2.1-or-later
"""Captures what each scenario file reaches: gcov's counters and the traces of its runs.

Only the engine is built with counters. Each scenario runs with its own counters (GCOV_PREFIX),
with --twice and once more for its traces, and gcov gives the counts as JSON. Captures are cached
in the build directory by the content of program and scenario, so that only what has changed runs
again."""

import concurrent.futures
import gzip
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
from pathlib import Path

from coverage_behaviour import watcher_of

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
TIMEOUT_S = 120
PACKAGES = ("gcc", "libc6-dev", "cmake", "ninja-build", "pkg-config", "libyaml-dev", "libjansson-dev",
            "libxxhash-dev", "libbsd-dev", "zlib1g-dev", "libdw-dev")


class HarnessFailed(Exception):
    """A required tool failed: exit code 3."""


class ScenarioFailed(Exception):
    """A scenario does not pass, so what it reaches proves nothing: exit code 1."""


def checked(command, **how):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **how)
    except OSError as error:
        raise HarnessFailed(f"cannot run {command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise HarnessFailed(f"{' '.join(map(str, command))}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def build(directory, more_packages=()):
    """Builds the program with counters; returns its path."""
    checked([ROOT / "tools/install-deps", *PACKAGES, *more_packages])
    checked(["cmake", "-S", ROOT, "-B", directory, "-G", "Ninja", "-DCOVERAGE=ON", "-DBUILD_TESTING=OFF",
             "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_COMPILER=gcc"])
    checked(["cmake", "--build", directory, "--target", "mirrorsim"])
    return directory / "mirrorsim"


def find_scenarios(paths):
    """All scenario files under the paths, as the program finds them."""
    found = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.rglob("*.yaml"))
        elif path.is_file():
            found.append(path)
        else:
            raise FileNotFoundError(f"there is no {path}")
    return found


def shown(path):
    """A path for messages: relative to the checkout if it is inside."""
    path = Path(path).resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


class Slot:
    """One place to run in: a directory with gcov's notes, for the counters."""

    def __init__(self, directory, objects):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.rglob("*.gc*"):
            old.unlink()
        for note in objects.rglob("*.gcno"):
            place = directory / note.relative_to(objects)
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(note)
        kept = {key: value for key, value in os.environ.items() if key not in ("CI", "GITHUB_ACTIONS")}
        # Strips all directories above the objects, so that the counters end up beside the notes.
        self.environment = {**kept, "GCOV_PREFIX": str(directory),
                            "GCOV_PREFIX_STRIP": str(len(objects.parts) - 1)}

    def run(self, *command):
        return subprocess.run(list(map(str, command)), cwd=ROOT, env=self.environment, capture_output=True,
                              text=True, check=False, timeout=TIMEOUT_S)

    def clear(self):
        for counters in self.directory.rglob("*.gcda"):
            counters.unlink()

    def counters(self):
        files = sorted(path.relative_to(self.directory).as_posix() for path in self.directory.rglob("*.gcda"))
        if not files:
            raise HarnessFailed("the program left no counters")
        text = checked(["gcov", "--branch-probabilities", "--json-format", "--stdout", *files], cwd=self.directory)
        return [json.loads(line) for line in text.splitlines()]


def add(table, key, count):
    table[key] = table.get(key, 0) + count


def gather(records):
    """{file of engine/: lines, branches, functions with their counts}. gcov counts a function of
    a header in each file that includes it; here the counts are added up."""
    files = {}
    for record in records:
        for source in record["files"]:
            path = shown(Path(record["current_working_directory"]) / source["file"])
            if not path.startswith("engine/") or path.startswith("engine/qemu/"):
                continue
            file = files.setdefault(path, {"lines": {}, "branches": {}, "functions": {}})
            for function in source["functions"]:
                add(file["functions"], f"{function['name']} {function['start_line']} {function['end_line']}",
                    function["execution_count"])
            for line in source["lines"]:
                add(file["lines"], str(line["line_number"]), line["count"])
                for number, branch in enumerate(line["branches"]):
                    add(file["branches"], f"{line['line_number']} {line.get('function_name', '-')} {number}",
                        branch["count"])
    return files


def capture(slot, program, scenario):
    """Captures one scenario: what its runs reach, and their behaviour."""
    slot.clear()
    done = slot.run(program, "run", "--json", "--twice", "--jobs", "1", scenario)
    if done.returncode != 0:
        raise ScenarioFailed(f"{shown(scenario)} does not pass; see: build/mirrorsim run {shown(scenario)}")
    runs = json.loads(done.stdout)["runs"]
    watcher = watcher_of(Path(scenario).read_text(encoding="utf-8"))
    for run in runs:
        trace = slot.run(program, "trace", "--json", "--case", run["case"], scenario)
        if trace.returncode not in (0, 1):
            raise HarnessFailed(f"mirrorsim trace {shown(scenario)}: {trace.stderr}")
        watcher.watch(run["case_name"], (json.loads(line) for line in trace.stdout.splitlines()))
    return {"runs": len(runs), "files": gather(slot.counters()), "behaviour": watcher.counts()}


def key_of(program_hash, scenario):
    return hashlib.sha256(program_hash + shown(scenario).encode() + b"\0" + Path(scenario).read_bytes()).hexdigest()


def tools_hash(program):
    """A hash of everything a capture depends on, except the scenario."""
    total = hashlib.sha256(program.read_bytes())
    for name in ("coverage_capture.py", "coverage_behaviour.py"):
        total.update((Path(__file__).parent / name).read_bytes())
    return total.digest()


def capture_all(directory, program, scenarios):
    """{scenario's name in messages: its capture}, in the order given."""
    objects = directory / "CMakeFiles/engine.dir/engine"
    program_hash = tools_hash(program)
    kept = directory / "captured" / program_hash.hex()[:16]
    kept.mkdir(parents=True, exist_ok=True)
    for other in set(kept.parent.iterdir()) - {kept}:
        shutil.rmtree(other)
    slots = queue.SimpleQueue()
    for number in range(WORKERS):
        slots.put(Slot(directory / "slots" / str(number), objects))
    done = 0

    def one(scenario):
        nonlocal done
        file = kept / (key_of(program_hash, scenario) + ".json.gz")
        if not file.exists():
            slot = slots.get()
            try:
                result = capture(slot, program, scenario)
            finally:
                slots.put(slot)
            file.with_suffix(".new").write_bytes(gzip.compress(json.dumps(result).encode(), 1))
            file.with_suffix(".new").rename(file)
        done += 1
        if sys.stderr.isatty():
            print(f"\r{done}/{len(scenarios)} scenarios", end="" if done < len(scenarios) else "\r\033[K",
                  file=sys.stderr)
        return file

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        files = list(pool.map(one, scenarios))
    return {shown(scenario): json.loads(gzip.decompress(file.read_bytes()))
            for scenario, file in zip(scenarios, files)}
