# SPDX-License-Identifier: LGPL-2.1-or-later
"""In what our engine and QEMU's job are known to differ, and in which releases: for tools/dev/peer.

A row is about stories by their names, and about certain members of what a run shows; a difference in any other member is
none that is known."""

from fnmatch import fnmatchcase
from typing import NamedTuple

EVERY = (0,)
NO_END = (1 << 16,)


class Known(NamedTuple):
    bug: str
    since: tuple  # the first release that has it
    before: tuple  # the first that has not got it any more
    members: str  # in which they may differ
    stories: str  # patterns of names
    what: str


ROWS = (
    Known("N3", (3, 0), NO_END, "content progress", "modern-blocking-source-error-torn blocking-source-fails "
          "modern-error-guest-error-is-the-guests filter-marks-failed-writes torn-active-write",
          "a guest write that fails on the source after a part has landed is not copied"),
    Known("N7", (6, 0), NO_END, "content", "backing-open-fails failed-backing-pivots",
          "the backing can't be opened at the end: the job fails, but the guest has been moved"),
    Known("N15", (3, 0), NO_END, "content progress", "modern-backing-small-active-write backing-small-write-between-chunks "
          "backing-small-write-in-hidden-cluster cow-under-load explore-neutral-cow modern-explore-top-small-write "
          "active-fills-cluster",
          "a small active write fills the target's cluster with zeroes, and the rest of it is not copied"),
    Known("C32", (3, 0), NO_END, "content progress", "cow-margin-and-active-write cow-pieces-beside-an-active-write",
          "the margin of a widened copy is not in flight: what a guest writes there meanwhile is lost"),
    Known("C33", (2, 0), NO_END, "death", "cow-longer-than-the-buffer modern-cow-piece-longer-than-buffer",
          "a copy widened beyond the buffer: the daemon aborts"),
    Known("C34", (2, 0), NO_END, "death", "cow-more-pieces-than-a-request-takes",
          "a cluster of more chunks than a request may have segments: the daemon aborts"),
    Known("C36", (2, 0), (11, 0), "death", "modern-cancel-complete-twice modern-replace-complete-twice "
          "complete-twice-replaces",
          "complete twice with replaces: the daemon aborts"),
    Known("M9", (4, 2), (10, 2), "content", "guest-queued-when-the-last-flush-fails",
          "a guest's request that has been queued is overtaken by the next drained section: it takes effect after the pivot"),
    Known("M23", (2, 0), (10, 1), "progress", "backing-nothing-owed-without-backing backing-written-zeroes-are-not-owed",
          "all of a sparse source is dirty, for the job does not look whether the target reads zero"),
    Known("D'41", (3, 0), NO_END, "progress", "modern-query-total-counted-at-the-end",
          "total counts an active request on the target that has failed, and no pass counts again"),
    Known("D'43", (3, 0), NO_END, "events progress", "error-in-the-last-section",
          "an error is reported in the last section, and another active write cleans its chunks: the job ends well"),
    Known("D'39", (3, 0), NO_END, "death", "blocking-force-cancel-with-writes blocking-stored-error-ends-waiting "
          "explore-neutral-force-cancel bitmaps-freed-early modern-error-active-write-under-way-at-the-end",
          "the in-flight bitmap is freed while an active write still uses it"),
)


def matches(row, version, name, members):
    return (row.since <= version < row.before and set(members) <= set(row.members.split()) and
            any(fnmatchcase(name, pattern) for pattern in row.stories.split()))


def find(version, name, members):
    """The row that explains all these differences, or None."""
    return next((row for row in ROWS if matches(row, version, name, members)), None)
