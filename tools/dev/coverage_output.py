# SPDX-License-Identifier: LGPL-2.1-or-later
"""The model for other programs: lcov's tracefile (and genhtml's pages), Cobertura, JSON."""

import re
import xml.etree.ElementTree as ElementTree

from coverage_capture import ROOT, checked
from coverage_model import KINDS, smallest_set


def test_name(scenario):
    """lcov's test names may only have letters, digits and underscores."""
    return re.sub(r"\W", "_", scenario.removeprefix("scenarios/").removesuffix(".yaml"))


def points_by_file(model):
    """{file: {kind: its points by line}}, without those listed as unreachable."""
    found = {file: {kind: [] for kind in KINDS} for file in model.files()}
    for point in sorted(model.reached):
        if point not in model.excused:
            found[point.file][point.kind].append(point)
    return found


def lcov_record(model, scenario, file, points):
    """The record of one file in one scenario, in geninfo's format."""
    count = {point: model.reached[point].get(scenario, 0) for kind in KINDS for point in points[kind]}
    lines = [f"TN:{test_name(scenario)}", f"SF:{ROOT / file}"]
    lines += [f"FN:{point.line},{point.function}" for point in points["functions"]]
    lines += [f"FNDA:{count[point]},{point.function}" for point in points["functions"]]
    # "-" means that the line itself was not reached.
    line_count = {point.line: count[point] for point in points["lines"]}
    lines += [f"BRDA:{point.line},0,{point.number},"
              f"{count[point] if line_count.get(point.line) else '-'}" for point in points["branches"]]
    lines += [f"DA:{point.line},{count[point]}" for point in points["lines"]]
    for kind, found, hit in (("functions", "FNF", "FNH"), ("branches", "BRF", "BRH"), ("lines", "LF", "LH")):
        lines += [f"{found}:{len(points[kind])}", f"{hit}:{sum(count[point] > 0 for point in points[kind])}"]
    return lines + ["end_of_record"]


def write_lcov(model, path):
    """Writes every scenario as a separate test."""
    by_file = points_by_file(model)
    with path.open("w", encoding="utf-8") as out:
        for scenario in model.scenarios:
            for file, points in by_file.items():
                if any(scenario in model.reached[point] for point in points["lines"]):
                    out.write("\n".join(lcov_record(model, scenario, file, points)) + "\n")
    return path


def write_html(tracefile, directory):
    checked(["genhtml", "--quiet", "--branch-coverage", "--show-details", "--title", "scenarios of mirrorsim",
             "--prefix", str(ROOT), "--output-directory", str(directory), str(tracefile)])
    return directory / "index.html"


# ---- Cobertura ----

def rate(model, kind, file=None):
    reached, all_of = model.share(kind, file)
    return f"{reached / all_of if all_of else 1:.4f}"


def cobertura_line(model, parent, point, branches):
    line = ElementTree.SubElement(parent, "line", number=str(point.line),
                                  hits=str(sum(model.reached[point].values())),
                                  branch="true" if branches else "false")
    if branches:
        taken = sum(bool(model.reached[branch]) for branch in branches)
        line.set("condition-coverage", f"{100 * taken // len(branches)}% ({taken}/{len(branches)})")


def cobertura_class(model, parent, file, points):
    entry = ElementTree.SubElement(parent, "class", {
        "name": file.removeprefix("engine/"), "filename": file, "complexity": "0",
        "line-rate": rate(model, "lines", file), "branch-rate": rate(model, "branches", file)})
    methods = ElementTree.SubElement(entry, "methods")
    branches = {}
    for branch in points["branches"]:
        branches.setdefault(branch.line, []).append(branch)
    for function in points["functions"]:
        reached = "1.0" if model.reached[function] else "0.0"
        method = ElementTree.SubElement(methods, "method", {
            "name": function.function, "signature": "", "complexity": "0",
            "line-rate": reached, "branch-rate": reached})
        lines = ElementTree.SubElement(method, "lines")
        ElementTree.SubElement(lines, "line", number=str(function.line), branch="false",
                               hits=str(sum(model.reached[function].values())))
    lines = ElementTree.SubElement(entry, "lines")
    for point in points["lines"]:
        cobertura_line(model, lines, point, branches.get(point.line, []))


def write_cobertura(model, path):
    totals = {kind: model.share(kind) for kind in KINDS}
    root = ElementTree.Element("coverage", {
        "line-rate": rate(model, "lines"), "branch-rate": rate(model, "branches"),
        "lines-covered": str(totals["lines"][0]), "lines-valid": str(totals["lines"][1]),
        "branches-covered": str(totals["branches"][0]), "branches-valid": str(totals["branches"][1]),
        "complexity": "0", "version": "mirrorsim", "timestamp": "0"})
    ElementTree.SubElement(ElementTree.SubElement(root, "sources"), "source").text = str(ROOT)
    package = ElementTree.SubElement(ElementTree.SubElement(root, "packages"), "package", {
        "name": "engine", "complexity": "0",
        "line-rate": rate(model, "lines"), "branch-rate": rate(model, "branches")})
    classes = ElementTree.SubElement(package, "classes")
    for file, points in points_by_file(model).items():
        cobertura_class(model, classes, file, points)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


# ---- JSON ----

def json_point(model, point):
    found = {"file": point.file, "line": point.line, "function": point.function, "text": model.text(point),
             "rules": model.rules(point)}
    if point.kind == "branches":
        found["branch"] = point.number
    return found


def as_json(model, behaviour, mistakes):
    """Everything that the texts show, and the indices of the scenarios that reach each
    line."""
    index = {scenario: number for number, scenario in enumerate(model.scenarios)}
    reach = model.reach_of_scenarios()
    return {
        "passed": not mistakes,
        "mistakes": mistakes,
        "total": {kind: dict(zip(("reached", "of"), model.share(kind))) for kind in KINDS},
        "files": {file: {kind: dict(zip(("reached", "of"), model.share(kind, file))) for kind in KINDS}
                  for file in model.files()},
        "missing": {kind: [json_point(model, point) for point in model.missing(kind)] for kind in KINDS},
        "unreachable": [{**json_point(model, point), "reason": reason} for point, reason in model.excused.items()],
        "scenarios": [{"file": scenario, "reaches": {kind: sum(point.kind == kind for point in reach[scenario])
                                                     for kind in KINDS},
                       "alone": [json_point(model, point) for point in sorted(alone)]}
                      for scenario, alone in model.adds().items()],
        "smallest_set": [scenario for scenario, _added in smallest_set(reach)],
        "lines": [{"file": point.file, "line": point.line, "count": sum(there.values()),
                   "scenarios": [index[scenario] for scenario in there]}
                  for point, there in sorted(model.reached.items()) if point.kind == "lines"],
        "behaviour": {
            "cells": [{"phase": cell[0], "what": cell[1], "count": sum(there.values()),
                       "scenarios": [index[scenario] for scenario in there],
                       **({"impossible": behaviour.excused[cell]} if cell in behaviour.excused else {})}
                      for cell, there in behaviour.cells.items()],
            "errors": [{"policy": cell[0], "error": cell[1], "count": sum(there.values())}
                       for cell, there in behaviour.errors.items()],
            "holes": [{"phase": phase, "what": what} for phase, what in behaviour.holes()],
        },
    }
