# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reviewed lists: what cannot be reached, each entry with its reason.

An entry is a line of fields between bars; its reason follows in indented lines. Empty lines and
lines that begin with # are ignored."""

from pathlib import Path
from typing import NamedTuple


class BadList(Exception):
    """A list can't be read: exit code 2."""


class Entry(NamedTuple):
    place: str  # file:line for messages
    fields: list
    reason: str


def read_list(path, field_count, shown):
    """The entries of a reviewed file; `shown` is its name in messages."""
    entries = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        place = f"{shown}:{number}"
        if not line.strip() or line.startswith("#"):
            continue
        if not line[0].isspace():
            fields = [field.strip() for field in line.split(" | ", field_count - 1)]
            if len(fields) != field_count or not all(fields):
                raise BadList(f"{place}: an entry has {field_count} fields, with ' | ' between them")
            entries.append(Entry(place, fields, ""))
        elif not entries:
            raise BadList(f"{place}: a reason before the first entry")
        else:
            entries[-1] = entries[-1]._replace(reason=(entries[-1].reason + " " + line.strip()).strip())
    for entry in entries:
        if not entry.reason:
            raise BadList(f"{entry.place}: an entry needs a reason, in an indented line below it")
    return entries
