# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a daemon's runs of a story showed, against ours: the verdict of tools/dev/peer."""

from dataclasses import asdict, dataclass, field

import peer_known
from peer_disk import SECTOR

AGREES, DIFFERS, KNOWN = "agrees", "differs", "differs as known"
CANNOT, NOT_COMPARABLE, UNSTABLE = "can't be expressed", "not comparable", "the daemon disagrees with itself"
OUTCOMES = (AGREES, KNOWN, NOT_COMPARABLE, CANNOT, UNSTABLE, DIFFERS)
BAD = (UNSTABLE, DIFFERS)


@dataclass
class Difference:
    member: str
    ours: str
    theirs: str


@dataclass
class Verdict:
    file: str
    name: str
    case: str
    outcome: str
    line: int = 0
    why: str = ""
    bug: str = ""
    differences: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def label(self):
        return f"{self.name} ({self.case})" if self.case else self.name

    def as_dict(self):
        return {key: value for key, value in asdict(self).items() if value or key in ("file", "name", "outcome")}


def list_difference(member, ours, theirs):
    if ours != theirs:
        yield Difference(member, ", ".join(ours) or "none", ", ".join(theirs) or "none")


def sector_text(data, start):
    """Who wrote a sector, by its first word: zero, the fill of a disk, or a guest request."""
    word = int.from_bytes(data[start:start + 8], "little")
    if not word:
        return "zero"
    if word >> 60 == 1:
        return f"what disk {(word >> 52 & 255) + 1} held at {(word & (1 << 52) - 1) * SECTOR}"
    return f"what guest request {word >> 32 & (1 << 28) - 1} wrote"


def content_difference(what, ours, theirs):
    if ours == theirs:
        return
    if len(ours) != len(theirs):
        yield Difference("content", f"{what}: {len(ours)} bytes", f"{what}: {len(theirs)} bytes")
        return
    different = [start for start in range(0, len(ours), SECTOR) if ours[start:start + SECTOR] != theirs[start:start + SECTOR]]
    first = different[0]
    yield Difference("content", f"{what}, at {first}: {sector_text(ours, first)}",
                     f"{what}, at {first}: {sector_text(theirs, first)} ({len(different)} sectors differ)")


def compared_contents(story, ours):
    """What is read at the end is compared; a target only after a job that has succeeded."""
    has_copied = "completed ok" in ours.events
    target = story.job["into" if story.is_commit else "to"]
    return [name for name in ours.contents if name != target or has_copied]


def differences(story, ours, theirs):
    if theirs.died:
        yield Difference("death", "the story goes on", f"the daemon does not: {theirs.died}")
        return
    # How far a job has come depends on its requests, of which a release may make others for zeroes.
    members = ("events", "commands", "guest", "queries", *(("progress",) if theirs.is_lockstep else ()))
    for member in members:
        yield from list_difference(member, getattr(ours, member), getattr(theirs, member))
    for name in compared_contents(story, ours):
        if name in theirs.contents:
            yield from content_difference(name, ours.contents[name], theirs.contents[name])


def first_that_is_not_equal(accounts, names):
    """A member in which equal runs of the daemon differ, or None; `names` are the contents that count. Of what has died, only how it died is compared."""
    if any(account.died for account in accounts):
        return "death" if len({account.died.split(":")[0] for account in accounts}) > 1 else None
    for member in ("events", "commands", "guest", "queries"):
        if any(getattr(account, member) != getattr(accounts[0], member) for account in accounts):
            return member
    if any(account.contents.get(name) != accounts[0].contents.get(name) for account in accounts for name in names):
        return "contents"
    return None


def not_comparable(story, accounts):
    """(line, why) if a difference would prove nothing; else (0, "")."""
    for line, what in story.real_time:
        return line, f"{what}: real time decides what comes first"
    for account in accounts:
        if account.is_disturbed:
            return 0, "the daemon takes no notice of an answer of the target while others are missing, so that the order is another"
        if account.missed:
            return story.faults[account.missed].line, "the daemon never makes the request that this hits in our run"
    return 0, ""


def judge(story, version, ours, accounts):
    """The Verdict on a story from the accounts of several runs of the daemon."""
    of_each = [list(differences(story, ours, account)) for account in accounts]
    shown, account = next(((found, account) for found, account in zip(of_each, accounts) if found), ([], accounts[0]))
    verdict = Verdict(str(story.path), story.name, story.case, AGREES, differences=shown, notes=account.notes)
    unequal = first_that_is_not_equal(accounts, compared_contents(story, ours))
    if not unequal and not shown:
        return verdict
    # Memory that is used after its end can be used without harm: some of the runs then show nothing, or something else.
    known = peer_known.find(version, story.name, {difference.member for found in of_each for difference in found})
    line, why = not_comparable(story, accounts)
    if known and shown:
        verdict.outcome, verdict.bug, verdict.why = KNOWN, known.bug, known.what
    elif why:
        verdict.outcome, verdict.line, verdict.why = NOT_COMPARABLE, line, why
    elif unequal:
        verdict.outcome, verdict.why = UNSTABLE, f"{len(accounts)} runs of it differ in their {unequal}"
    else:
        verdict.outcome = DIFFERS
    return verdict


def inexpressible(story, version):
    line, why, _ = story.obstacles(version)[0]
    return Verdict(str(story.path), story.name, story.case, CANNOT, line, why)
