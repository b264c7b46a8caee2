# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our run of a story, as the script of the daemon's: its requests to the disks, and what can be compared."""

import subprocess
import tempfile
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path

from peer_commands import happened_in_ours, progress, source
from peer_story import DATA_OPERATIONS, CannotRead, size


@dataclass(eq=False)
class OurRequest:
    """A request to a disk in our run; `real` is the daemon's own, once it has come."""
    number: int
    disk: str
    op: str
    offset: int
    bytes: int
    by: str
    ret: str = "ok"
    applied: object = None  # what a write that fails leaves behind
    fault: str = ""
    real: object = None
    has_effect: bool = False
    is_done: bool = False

    @property
    def key(self):
        return self.disk, self.op, self.offset, self.bytes

    def __str__(self):
        return f"{self.disk} {self.op} {self.offset}+{self.bytes} by {self.by}"


@dataclass
class Account:
    """What a run showed; that of the daemon and ours are compared member by member."""
    events: list  # of the job, in order
    commands: list  # each with what became of it
    guest: list  # each request, by its number in our run, with its result
    queries: list
    contents: dict  # {what is read: its bytes}
    progress: list  # how far a job had come when it had ended without an error
    notes: list  # what is told, but not compared
    died: str = ""
    is_lockstep: bool = False  # the daemon's job made the requests that ours made, no other
    is_disturbed: bool = False  # the daemon took no notice of an answer while others on the same connection were missing
    missed: str = ""  # a fault that hit a request in our run which the daemon has not made


def applied_of(fault):
    said = fault.get("applied", "nothing") if fault else "nothing"
    if said in ("nothing", "all", "torn"):
        return None if said == "nothing" else said
    return size(said) if said[0].isdigit() else None


class Requests:
    """Those of our run, by number, and in the order in which equal ones were submitted."""

    def __init__(self, story):
        self.by_number, self.waiting = {}, defaultdict(deque)
        for event in story.trace:
            kind = event["event"]
            if kind == "submit" and event["op"] in DATA_OPERATIONS:
                request = OurRequest(event["request"], event["disk"], event["op"], event.get("offset", 0), event.get("bytes", 0),
                                     event.get("by", "job"))
                self.by_number[request.number] = request
                self.waiting[request.key].append(request)
            elif kind in ("done", "fault") and event.get("request") in self.by_number:
                request = self.by_number[event["request"]]
                if kind == "done":
                    request.ret = event["ret"]
                else:
                    request.fault = event["fault"]
                    request.applied = applied_of(story.faults.get(event["fault"]))

    def match(self, real):
        """Which of ours this one of the daemon's is: the first of the same kind and place that has not come; or None."""
        queue = self.waiting.get((real.disk, real.op, real.offset, real.bytes))
        return queue.popleft() if queue else None


def queries_of(trace):
    """What our run answered to each step that asks: the job's status, or none."""
    answers = []
    for event in trace:
        if event["event"] == "step" and event["do"] in ("query", "job-none"):
            answers.append("none")
        elif event["event"] == "query" and answers:
            answers[-1] = event["status"]
    return answers


def commands_of(trace):
    """Each command, and start, with `ok` or the reason for which it was refused."""
    told = []
    for event in trace:
        kind = event["event"]
        if kind == "step" and event["do"] == "start":
            told.append(["start", "ok"])
        elif kind == "command":
            told.append([event["verb"], "ok"])
        elif kind in ("refused", "start-refused") and told:
            told[-1][1] = event["refusal"]
    return [f"{verb}: {end}" for verb, end in told]


def guest_node(story):
    """Where the guest is at the end."""
    place = source(story)
    for event in story.trace:
        if event["event"] == "moved" and event["disk"] != "filter":
            place = event["disk"]
    return place


def images(program, story):
    """The bytes of each disk at the end of our run."""
    with tempfile.TemporaryDirectory() as directory:
        command = [program, "run", "--quiet", "--once", "--case", str(story.run["case"]), f"--dump-images={directory}/images",
                   str(story.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        found = {name: list(Path(directory, "images").glob(f"*.{name}.raw")) for name in story.disks}
        if any(len(paths) != 1 for paths in found.values()):
            raise CannotRead(f"{story.path}: our run left no images: {done.stderr.strip()}")
        return {name: paths[0].read_bytes() for name, paths in found.items()}


def account_of(program, story):
    trace = story.trace
    disks = images(program, story)
    events = [word for word in map(happened_in_ours, trace) if word]
    guest = {event["request"]: f"{event['op']} {event.get('offset', 0)}+{event.get('bytes', 0)}: {event['ret']}"
             for event in trace if event["event"] == "answered"}
    contents = {"what the guest reads": disks[guest_node(story)], **disks}
    ended = [progress(event) for event in trace if event["event"] == "completed" and event["ret"] == "ok"]
    return Account(events, commands_of(trace), [guest[number] for number in sorted(guest)], queries_of(trace), contents, ended, [])
