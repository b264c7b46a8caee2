# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coverage as one model: points (lines, functions, branches) and the scenarios that reach each.

A branch is identified by its file, its function, the text of its line and its number on that line in
gcov's order; if a function has the same text twice, `3@2` is branch 3 of the second occurrence."""

import heapq
from typing import NamedTuple

from coverage_source import Source

KINDS = ("lines", "functions", "branches")


class Point(NamedTuple):
    kind: str
    file: str
    line: int
    function: str
    number: int  # number of the branch; 0 for other points


class Model:
    def __init__(self, captures, read_source):
        """`captures`: {scenario: its capture}; `read_source(file)` returns the file's text."""
        self.scenarios = list(captures)
        self.sources = {}
        self.spans = {}  # {file: [(first line, last line, function)]}
        self.reached = {}  # {point: {scenario: count}}
        there_by_key = {}  # {(file, kind): {the point as captures name it: its part of reached; None if it does not count}}
        for scenario, capture in captures.items():
            for file, counts in capture["files"].items():
                if file not in self.sources:
                    self.sources[file] = Source(read_source(file))
                    self.spans[file] = spans_of(counts)
                for kind in ("functions", "lines", "branches"):
                    self._add(scenario, file, kind, counts[kind], there_by_key.setdefault((file, kind), {}))
        self.identities = self._identify()
        self.excused = {}  # {branch: reason}

    def _add(self, scenario, file, kind, counts, there_by_key):
        """Adds the counts of one scenario. The captures name some five million points, but only a few thousand
        different ones: each is read once."""
        for key, count in counts.items():
            if key not in there_by_key:
                point = self._point(file, kind, key)
                there_by_key[key] = None if point is None else self.reached.setdefault(point, {})
            if count > 0 and (there := there_by_key[key]) is not None:
                there[scenario] = count

    def _point(self, file, kind, key):
        """The point that captures name so; None if it does not count: in an assert, or a line that must never be
        reached."""
        source = self.sources[file]
        if kind == "functions":
            name, line, _end = key.split()
            return Point(kind, file, int(line), name, 0)
        if kind == "lines":
            line = int(key)
            return None if line in source.never else Point(kind, file, line, self.function_at(file, line), 0)
        line, function, number = key.split()
        return None if int(line) in source.asserts else Point(kind, file, int(line), function, int(number))

    def function_at(self, file, line):
        return next((name for first, last, name in self.spans[file] if first <= line <= last), "-")

    def start_of(self, point):
        return next((first for first, last, name in self.spans[point.file] if first <= point.line <= last),
                    point.line)

    def _identify(self):
        """{(file, function, number as lists write it, text): branch}"""
        identities = {}
        lines = {}  # {(file, function, text): its lines}
        branches = sorted(point for point in self.reached if point.kind == "branches")
        for point in branches:
            same = lines.setdefault((point.file, point.function, self.text(point)), [])
            if point.line not in same:
                same.append(point.line)
            which = "" if len(same) == 1 else f"@{len(same)}"
            identities[point.file, point.function, f"{point.number}{which}", self.text(point)] = point
        return identities

    def text(self, point):
        return self.sources[point.file].text(point.line)

    def rules(self, point):
        return self.sources[point.file].rules(point.line, self.start_of(point))

    def identity(self, point):
        return next(" | ".join(identity) for identity, other in self.identities.items() if other == point)

    def excuse(self, entries):
        """Applies the reviewed list of branches and lines; returns its mistakes."""
        mistakes = []
        for entry in entries:
            if entry.fields[2] == "line":
                mistakes += self._excuse_lines(entry)
                continue
            point = self.identities.get(tuple(entry.fields))
            if point is None:
                mistakes.append(f"{entry.place}: the engine has no such branch (any more)")
            elif self.reached[point]:
                mistakes.append(f"{entry.place}: not unreachable: {next(iter(self.reached[point]))} takes this branch")
            elif point in self.excused:
                mistakes.append(f"{entry.place}: listed twice")
            else:
                self.excused[point] = entry.reason
        return mistakes

    def _excuse_lines(self, entry):
        """The lines of that text in the function that nobody reaches; "*": all its lines, and the function itself."""
        file, function, _, text = entry.fields
        there = [point for point in self.reached if (point.file, point.function) == (file, function) and
                 (text == "*" or (point.kind == "lines" and self.text(point) == text)) and point.kind != "branches"]
        left = [point for point in there if not self.reached[point]]
        if not there:
            return [f"{entry.place}: the engine has no such line (any more)"]
        if not left or (text == "*" and len(left) < len(there)):
            return [f"{entry.place}: not unreachable: a scenario reaches it"]
        self.excused.update((point, entry.reason) for point in left)
        return []

    # ---- Figures ----

    def files(self):
        return sorted(self.sources)

    def counted(self, kind, file=None):
        return [point for point in self.reached
                if point.kind == kind and (file is None or point.file == file) and point not in self.excused]

    def share(self, kind, file=None):
        """(number reached, number of all)"""
        points = self.counted(kind, file)
        return sum(bool(self.reached[point]) for point in points), len(points)

    def missing(self, kind):
        return sorted(point for point in self.counted(kind) if not self.reached[point])

    # ---- Scenarios ----

    def reach_of_scenarios(self):
        """{scenario: the points it reaches}"""
        reach = {scenario: set() for scenario in self.scenarios}
        for point, there in self.reached.items():
            for scenario in there:
                reach[scenario].add(point)
        return reach

    def adds(self):
        """{scenario: the points that no other scenario reaches}"""
        added = {scenario: [] for scenario in self.scenarios}
        for point, there in self.reached.items():
            if len(there) == 1:
                added[next(iter(there))].append(point)
        return added


def spans_of(counts):
    return sorted((int(line), int(end), name) for name, line, end in map(str.split, counts["functions"]))


def smallest_set(reach):
    """Scenarios that together reach what all reach, chosen greedily: each time the one that adds
    most (the first of equals). So the set is small, but not proved to be the smallest. [(scenario,
    points it adds)]"""
    order = {scenario: place for place, scenario in enumerate(reach)}
    # What a scenario adds only gets less: who adds most by an old figure is counted again, the others stay.
    waiting = [(-len(points), order[scenario], scenario) for scenario, points in reach.items()]
    heapq.heapify(waiting)
    covered, chosen = set(), []
    while waiting:
        _, place, scenario = waiting[0]
        added = len(reach[scenario] - covered)
        if added == 0:
            heapq.heappop(waiting)
        elif -added > waiting[0][0]:
            heapq.heapreplace(waiting, (-added, place, scenario))
        else:
            heapq.heappop(waiting)
            chosen.append((scenario, added))
            covered |= reach[scenario]
    return chosen
