# SPDX-License-Identifier: LGPL-2.1-or-later
"""The behaviour tables: the phase the job was in when something happened to it.

They are made from traces alone, one for each generation. A row is where the job waited: its phase, whether
it was ready, and, where both are possible, whether copies were in flight (2.2). A column is what happened
there. A cell counts how often the suite got there. Another table shows which error met which policy."""

import re
import shutil
from collections import Counter

WIDTH = 100  # columns of text, if no terminal says how many there are

# Phases in which a job waits, in the order of its life.
PHASES = ("status", "sleep, populating", "parked, populating",
          "wait-op", "wait-chunk", "wait-buffers",
          "sleep", "sleep, copying", "parked", "parked, copying", "flush",
          "ready wait-op", "ready wait-chunk", "ready wait-buffers",
          "ready sleep", "ready sleep, copying", "ready parked", "ready parked, copying", "ready flush",
          "ready drain", "ready empty", "exit", "deferred")
# In these two, copies in flight make a difference; in the others there are always some, or none.
MAY_COPY = ("sleep", "parked")
# The job is ending: whether it was ready does not matter any more.
ENDING = ("exit", "deferred")

VERBS = ("complete", "cancel", "pause", "resume", "set-speed")
GUEST = ("write", "write-zeroes", "discard")
GROUPS = {
    "commands": VERBS + tuple(f"{verb} refused" for verb in VERBS),
    "errors": tuple(f"{side} error: {action}" for side in ("read", "write", "flush")
                    for action in ("report", "ignore", "stop")),
    "guest requests that finish": tuple(f"guest {op}" for op in GUEST) +
                                  tuple(f"guest {op} into a copy" for op in GUEST) +
                                  ("guest read", "guest flush", "guest failure", "guest queued"),
    "copies and the rest": ("read done", "copy done alone", "copy done in order", "copy done overtaking",
                            "drained", "power cut of source", "power cut of target"),
}
LEFT_OPEN = "?"  # the scenario leaves the policy to a choice
POLICIES = ("report", "ignore", "stop", "enospc")
SIDES = ("read", "write", "flush")


# ---- Today's generation ----

MODERN_RUNNING = ("population", "walk-status", "prezero-slot", "prezero-rest", "wait-oldest", "wait-chunk", "cut-status",
                  "cut-slot", "rate-point", "flush", "quiescing", "parked")
MODERN_READY = ("wait-oldest", "wait-chunk", "cut-status", "cut-slot", "rate-point", "sleep-point", "empty-point", "drain",
                "last-flush", "undrain", "quiescing", "parked")
MODERN_ENDING = ("exit-ops", "exit-drain", "ended", "pending", "concluded")
MODERN_PHASES = (*(f"modern {phase}" for phase in MODERN_RUNNING), *(f"modern ready {phase}" for phase in MODERN_READY),
                 *(f"modern {phase}" for phase in MODERN_ENDING))
# Pause points: the job waits there for its operations, or is parked, or lets the main loop turn during population.
MODERN_POINTS = {"entry": "quiescing", "pass-point": "quiescing", "search-point": "quiescing", "walk-point": "population",
                 "prezero-point": "population"}
MODERN_GROUPS = {
    "commands": ("complete", "soft cancel", "force cancel", "pause", "resume", "set-speed", "change", "finalize", "dismiss",
                 "a refusal"),
    "errors": tuple(f"{side} error" for side in ("read", "write", "flush")),
    "guest requests that are answered": ("guest write", "guest write-zeroes", "guest discard", "guest read", "guest flush",
                                         "guest failure", "guest queued"),
    "copies and the rest": ("read done", "copy done", "zeroes done", "active done", "drained by another",
                            "power cut of source", "power cut of target"),
}
LAYOUTS = (("2.2", PHASES, GROUPS), ("modern", MODERN_PHASES, MODERN_GROUPS))


def overlaps(event, offset, length):
    return event.get("offset", 0) < offset + length and offset < event.get("offset", 0) + event.get("bytes", 0)


def policies_of(text, case_name):
    """The error policies of a scenario's case: {side: policy}."""
    values = dict(part.split("=", 1) for part in case_name.split() if "=" in part)
    found = {"source": "report", "target": "report"}
    for side, value in re.findall(r"\bon-(source-error|target-error|error):\s*\"?(\$\{[\w.-]+\}|[\w-]+|\{)", text):
        if not value[0].isalpha():
            value = values.get(value[2:-1], LEFT_OPEN)
        for name in (("source", "target") if side == "error" else (side.removesuffix("-error"),)):
            found[name] = value
    return {"read": found["source"], "write": found["target"], "flush": found["target"]}


class Watcher:
    """Watches the runs of one scenario and counts what happened in which phase."""

    def __init__(self, text):
        self.text = text
        self.cells = {}
        self.policies = {}
        self.errors = {}

    def counts(self):
        return {"cells": [[*cell, count] for cell, count in sorted(self.cells.items())],
                "errors": [[*cell, count] for cell, count in sorted(self.errors.items())]}

    def watch(self, case_name, events):
        self.policies = policies_of(self.text, case_name)
        self._no_job()
        for event in events:
            handler = getattr(self, "on_" + event["event"].replace("-", "_"), None)
            if handler is not None and (self.job or event["event"] == "started"):
                handler(event)

    def _no_job(self):
        self.job = False
        self.phase = "created"
        self.ready = self.populating = False
        self.copies = []  # (offset, bytes) of each operation, oldest first

    def _where(self):
        if self.phase in ENDING:
            return self.phase
        if self.phase in MAY_COPY and self.populating:
            return self.phase + ", populating"
        copying = ", copying" if self.phase in MAY_COPY and self.copies else ""
        return ("ready " if self.ready else "") + self.phase + copying

    def _count(self, what):
        cell = (self._where(), what)
        self.cells[cell] = self.cells.get(cell, 0) + 1

    # ---- The job ----

    def on_started(self, event):
        self._no_job()
        self.job = self.populating = True
        self.source, self.target = event["disk"], event["target"]

    def on_phase(self, event):
        self.phase = event["to"]

    def on_ready(self, _event):
        self.ready = True

    def on_completed(self, _event):
        self._no_job()

    on_cancelled = on_completed

    def on_command(self, event):
        # If a refusal follows, it takes the count back.
        self._count(event["verb"])

    def on_refused(self, event):
        cell = (self._where(), event["verb"])
        self.cells[cell] -= 1
        if self.cells[cell] == 0:
            del self.cells[cell]
        self._count(event["verb"] + " refused")

    def on_error(self, event):
        side = event["op"] if "bytes" in event else "flush"
        self._count(f"{side} error: {event['action']}")
        errno = "ENOSPC" if event["ret"] == "ENOSPC" else "other"
        cell = (self.policies[side], f"{side} {errno}")
        self.errors[cell] = self.errors.get(cell, 0) + 1
        self.ready = False
        self._copy_ends(event)

    # ---- Requests ----

    def on_submit(self, event):
        if event["by"] != "job":
            return
        self.populating = False
        if event["op"] == "read":
            self.copies.append((event["offset"], event["bytes"]))

    def on_done(self, event):
        if event["by"] == "guest":
            self._guest_done(event)
        elif event["by"] == "job" and event["op"] in ("read", "write"):
            self._copy_step_done(event)

    def _guest_done(self, event):
        if event["ret"] != "ok":
            self._count("guest failure")
        elif event["op"] in GUEST and any(overlaps(event, *copy) for copy in self.copies):
            self._count(f"guest {event['op']} into a copy")
        else:
            self._count(f"guest {event['op']}")

    def _copy_step_done(self, event):
        """A failure ends the copy, too, but only when the job has emitted its error event."""
        if event["ret"] != "ok":
            return
        if event["op"] == "read":
            self._count("read done")
            return
        oldest = bool(self.copies) and self.copies[0] == (event["offset"], event["bytes"])
        order = "alone" if len(self.copies) == 1 else "in order" if oldest else "overtaking"
        self._count("copy done " + order)
        self._copy_ends(event)

    def _copy_ends(self, event):
        copy = (event.get("offset", 0), event.get("bytes", 0))
        if copy in self.copies:
            self.copies.remove(copy)

    def on_queued(self, _event):
        self._count("guest queued")

    def on_drained(self, _event):
        self._count("drained")

    def on_power_cut(self, event):
        side = "source" if event["disk"] == self.source else "target" if event["disk"] == self.target else None
        if side is not None:
            self._count("power cut of " + side)


class ModernWatcher(Watcher):
    """The same for today's generation."""

    def _no_job(self):
        super()._no_job()
        self.status = "undefined"
        self.sections = Counter()  # of others, over each disk

    def _where(self):
        if self.status in ("pending", "concluded"):
            return f"modern {self.status}"
        phase = "parked" if self.status in ("paused", "standby") else MODERN_POINTS.get(self.phase, self.phase)
        return f"modern {phase}" if phase in MODERN_ENDING or not self.ready else f"modern ready {phase}"

    def on_status(self, event):
        self.status = event["to"]
        if self.status == "null":
            self._no_job()

    def on_completed(self, _event):
        """The job may wait for dismiss."""

    on_cancelled = on_completed

    def on_phase(self, event):
        self.phase = event["to"]

    def on_command(self, event):
        verb = event["verb"]
        self.last = ("force cancel" if "force" in event else "soft cancel") if verb == "cancel" else verb
        self._count(self.last)

    def on_refused(self, _event):
        cell = (self._where(), self.last)
        self.cells[cell] -= 1
        if self.cells[cell] == 0:
            del self.cells[cell]
        self._count("a refusal")

    def on_error(self, event):
        side = event["op"] if "bytes" in event else "flush"
        self._count(f"{side} error")
        errno = "ENOSPC" if event["ret"] == "ENOSPC" else "other"
        cell = (self.policies[side], f"{side} {errno}")
        self.errors[cell] = self.errors.get(cell, 0) + 1

    def on_submit(self, event):
        """Which copies are in flight makes no difference here."""

    def on_done(self, event):
        if event["ret"] != "ok":
            return
        if event["by"] == "active":
            self._count("active done")
        elif event["by"] == "job" and event["op"] in ("read", "write"):
            self._count("read done" if event["op"] == "read" else "copy done")
        elif event["by"] == "job" and event["op"] == "write-zeroes":
            self._count("zeroes done")

    def on_answered(self, event):
        self._count(f"guest {event['op']}" if event["ret"] == "ok" else "guest failure")

    def on_section(self, event):
        if "by" not in event:
            self.sections[event["disk"]] += {"begun": 1, "quiet": 0, "over": -1}[event["section"]]

    def on_drained(self, event):
        """Only over the job's disks, and unless whoever began the section has given it up before."""
        if event["disk"] in (self.source, self.target) and self.sections[event["disk"]] > 0:
            self._count("drained by another")


def watcher_of(text):
    """A watcher for the runs of a scenario file."""
    return ModernWatcher(text) if re.search(r"^generation: *modern", text, re.M) else Watcher(text)


class Table:
    """The cells of all scenarios, and the reviewed list's reasons for the empty ones."""

    def __init__(self, captures, impossible):
        self.cells = {(phase, what): {} for _, phases, groups in LAYOUTS for phase in phases
                      for group in groups.values() for what in group}
        self.errors = {(policy, f"{side} {errno}"): {}
                       for policy in POLICIES for side in SIDES for errno in ("other", "ENOSPC")}
        self.unknown = []
        for scenario, capture in captures.items():
            self._add(self.cells, capture["behaviour"]["cells"], scenario)
            self._add(self.errors, capture["behaviour"]["errors"], scenario)
        self.excused = {}
        self.mistakes = []
        for entry in impossible:
            self._excuse(entry)

    def _add(self, table, rows, scenario):
        for phase, what, count in rows:
            if (phase, what) in table:
                table[phase, what][scenario] = count
            elif phase != LEFT_OPEN:
                self.unknown.append(f"{scenario}: {what} in phase {phase}")

    def _excuse(self, entry):
        """Marks the empty cells of one generation that the entry names; at least one, and only empty ones."""
        phases, whats = ([part.strip() for part in field.split(";")] for field in entry.fields)
        is_modern = phases[0].lstrip("! ").startswith("modern ")
        wanted = [cell for cell in self.cells if cell[0].startswith("modern ") == is_modern and
                  matches(cell[0], phases) and matches(cell[1], whats)]
        reached = [cell for cell in wanted if self.cells[cell]]
        if not wanted:
            self.mistakes.append(f"{entry.place}: names no cell of the table")
        for cell in reached:
            self.mistakes.append(f"{entry.place}: '{cell[1]}' in '{cell[0]}' is not impossible: "
                                 f"{next(iter(self.cells[cell]))} is there")
        for cell in wanted:
            self.excused.setdefault(cell, entry.reason)

    def holes(self):
        return [cell for cell, there in self.cells.items() if not there and cell not in self.excused]

    def total(self, cell):
        return sum(self.cells[cell].values())

    def text(self):
        lines = []
        for generation, phases, groups in LAYOUTS:
            for group, whats in groups.items():
                lines += ["", f"behaviour, {generation}: {group}", *self._group(phases, whats)]
        lines += ["", "errors by policy"]
        columns = [f"{side} {errno}" for side in SIDES for errno in ("other", "ENOSPC")]
        lines.append(" " * 8 + "".join(f"{column:>14}" for column in columns))
        for policy in POLICIES:
            counts = (sum(self.errors[policy, column].values()) for column in columns)
            lines.append(f"{policy:<8}" + "".join(f"{count or 'hole':>14}" for count in counts))
        return "\n".join(lines)

    def _group(self, phases, whats):
        """As many columns side by side as fit, then the others below."""
        room = max(1, (shutil.get_terminal_size((WIDTH, 0)).columns - 24) // 13)
        whats = list(whats)
        for first in range(0, len(whats), room):
            yield from [""] * (first > 0)
            yield from self._columns(phases, whats[first:first + room])

    def _columns(self, phases, whats):
        """Splits column heads of several words over several lines."""
        heads = [what.split() for what in whats]
        height = max(map(len, heads))
        for row in range(height):
            words = (head[row - height] if row >= height - len(head) else "" for head in
                     ([""] * (height - len(head)) + head for head in heads))
            yield (" " * 24 + "".join(f"{word:>13}" for word in words)).rstrip()
        for phase in phases:
            marks = (self.total((phase, what)) or ("-" if (phase, what) in self.excused else "hole")
                     for what in whats)
            yield f"{phase:<24}" + "".join(f"{mark:>13}" for mark in marks)

    def holes_text(self):
        holes = self.holes()
        return [f"{what}: {'; '.join(phase for phase, other in holes if other == what)}"
                for what in dict.fromkeys(what for _, _, groups in LAYOUTS for group in groups.values() for what in group)
                if any(other == what for _, other in holes)]


def matches(text, patterns):
    """Patterns are names; "*" at an end stands for the rest; "!" before all of them means all others."""
    if patterns[0].startswith("!"):
        return not matches(text, [patterns[0][1:].strip(), *patterns[1:]])
    return any(text == pattern or (pattern.endswith("*") and text.startswith(pattern[:-1])) or
               (pattern.startswith("*") and text.endswith(pattern[1:])) for pattern in patterns)
