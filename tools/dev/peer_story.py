# SPDX-License-Identifier: LGPL-2.1-or-later
"""One case of a scenario file, as tools/dev/peer needs it: its disks, its job, and what our engine made of it.

The story is not played from its steps but from our run of it: the trace says in which order commands, guest requests and
the ends of requests came, so that latencies, instants, holds and reactions are an order, and nothing of it is left to real
time."""

import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import yaml

SECTOR = 512

SIZES = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50, "EiB": 1 << 60}

# Errors that the protocol between the daemon and the disks knows.
ERRORS = {"EPERM": 1, "EIO": 5, "ENOMEM": 12, "EINVAL": 22, "ENOSPC": 28, "EOVERFLOW": 75, "ENOTSUP": 95, "ESHUTDOWN": 108}

DATA_OPERATIONS = ("read", "write", "write-zeroes", "discard", "flush")


class CannotRead(Exception):
    """A file that mirrorsim does not accept, or a run of ours that does not pass: nothing to compare with."""


class Map(dict):
    """A mapping that knows its line, and those of its keys."""
    line = 0
    lines: dict


class List(list):
    """A list that knows its line, and those of its items."""
    line = 0
    lines: list


NEVER = (1 << 16,)  # no release


class Cannot(NamedTuple):
    """Something that a daemon can't be made to do."""
    line: int
    why: str
    since: tuple = NEVER  # the release in which it can be said


@dataclass
class Disk:
    name: str
    number: int
    size: int
    fill: str = "zero"
    allocated: list = field(default_factory=list)  # of (offset, bytes)
    zeroes: list = field(default_factory=list)
    backing: str = ""
    backing_open: bool = True
    cluster: int = 0  # 0: none
    subcluster: int = 0
    unmap: bool = False
    detect_zeroes: str = "stay"
    read_only: bool = False
    is_filter: bool = False
    has_header: bool = False  # it can have a backing file, or has clusters: a qcow2 image
    effect: str = "complete"


@dataclass
class Story:
    path: Path
    case: str
    name: str
    disks: dict
    job: dict
    is_commit: bool
    faults: dict
    trace: list
    run: dict
    cannot: list
    real_time: list = field(default_factory=list)  # (line, what) by which real time decides

    @property
    def label(self):
        return f"{self.name} ({self.case})" if self.case else self.name

    def obstacles(self, version):
        """What can't be expressed to a daemon of this version."""
        return [cannot for cannot in self.cannot if version < cannot.since]


# ---- The file ----

def plain(node):
    """YAML's node as texts, lists and mappings that know their lines."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        value = List(plain(item) for item in node.value)
        value.lines = [item.start_mark.line + 1 for item in node.value]
    else:
        value = Map((key.value, plain(item)) for key, item in node.value)
        value.lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
    value.line = node.start_mark.line + 1
    return value


def replaced(value, names):
    """A copy in which ${name} is what it stands for; a text that is nothing but that becomes the value itself."""
    if isinstance(value, str):
        whole = re.fullmatch(r"\$\{([^}]+)\}", value)
        if whole and whole[1] in names:
            return replaced(names[whole[1]], names)
        return re.sub(r"\$\{([^}]+)\}", lambda match: str(replaced(names[match[1]], names)) if match[1] in names else match[0], value)
    copy = type(value)(value)
    copy.line, copy.lines = value.line, value.lines
    for key, item in (enumerate(value) if isinstance(value, list) else value.items()):
        copy[key] = replaced(item, names)
    return copy


def cases_of(text):
    """The names of each case, {name: value}, in mirrorsim's order: the last name of the matrix changes fastest."""
    matrix = text.get("matrix", {})
    return [dict(zip(matrix, values)) for values in itertools.product(*matrix.values())]


def size(text):
    match = re.fullmatch(r"(-?[0-9.]+)\s*([KMGTPE]?i?B?)(/s)?", text)
    if not match or match[2] not in SIZES:
        raise ValueError(f"not a size: {text}")
    return int(float(match[1]) * SIZES[match[2]]) if "." in match[1] else int(match[1]) * SIZES[match[2]]


def ranges(value, disk_bytes, names):
    if value == "all":
        return [(0, disk_bytes)]
    if value == "none":
        return []
    found = [replaced(names[item], names) if isinstance(item, str) else item for item in value]
    return [(size(item["at"]), size(item["len"])) for item in found]


# ---- What it says ----

def disk_of(name, number, said, names):
    """What the file says of the disk, with the language's defaults."""
    disk = Disk(name, number, size(said["size"]))
    disk.fill = said.get("fill", "zero")
    allocated = said.get("allocated", "none" if disk.fill == "zero" else "all")
    disk.allocated = ranges(allocated, disk.size, names)
    disk.zeroes = ranges(said.get("zeroes", "none"), disk.size, names)
    backing = said.get("backing", "")
    disk.backing = backing["name"] if isinstance(backing, dict) else backing
    disk.backing_open = not isinstance(backing, dict) or backing.get("state", "open") == "open"
    cluster = said.get("cluster", "none")
    disk.cluster = size(cluster) if cluster not in ("none", "unknown") else 0
    disk.subcluster = size(said["subcluster"]) if "subcluster" in said else 0
    disk.unmap = "unmap" in said
    disk.detect_zeroes = said.get("detect-zeroes", "stay")
    disk.read_only = "read-only" in said
    disk.is_filter = said.get("role") == "filter"
    disk.effect = said.get("effect", "complete")
    disk.has_header = not disk.is_filter and bool(disk.backing or disk.cluster or "backing-possible" in said)
    return disk
