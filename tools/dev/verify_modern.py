# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stories in which tools/dev/verify searches today's generation: a product, made up from these parts.

A mirror of three chunks, two guest requests, a copy mode or a change of it, commands, and one request or question that
fails.  No time is told: the guest's requests and the commands come `whenever`, so that the search tries each at every
moment; which request fails, and what it leaves behind, is its choice, too."""

import itertools

# Each kind, aligned to chunks and not.
REQUESTS = {
    "write": "write: {at: 0, len: 64KiB}",
    "write-across": "write: {at: 32KiB, len: 64KiB}",
    "zeroes": "write-zeroes: {at: 0, len: 64KiB}",
    "zeroes-across": "write-zeroes: {at: 32KiB, len: 64KiB}",
    "discard": "discard: {at: 0, len: 64KiB}",
    "discard-across": "discard: {at: 32KiB, len: 64KiB}",
}
# Inside one chunk, and the short last one.
MORE_REQUESTS = {
    "small": "write: {at: 68KiB, len: 4KiB}",
    "zeroes-inside": "write-zeroes: {at: 16KiB, len: 32KiB}",
    "last": "write: {at: 128KiB, len: 32KiB}",
}

# The mode at the start, and the steps that change it; back is refused.
MODES = {
    "background": ("background", ""),
    "write-blocking": ("write-blocking", "{change: {copy-mode: background, refused: true}}, "),
    "changed": ("background", "{at: whenever}, {change: {copy-mode: write-blocking, refused: maybe}}, "),
}

READY = "{wait: {event: ready, since: start}}"
PAUSE = "{at: whenever}, {pause: {refused: maybe}}, {at: whenever}, {resume: {refused: maybe}}, "
SOFT_CANCEL = "{at: whenever}, {cancel: {refused: maybe}}"
FORCE_CANCEL = "{at: whenever}, {cancel: {force: true, refused: maybe}}"
# A job that has completed before the cancel comes has only been completed.
ENDS = {
    "complete, soft cancel": f"{READY}, {{at: whenever}}, complete, {SOFT_CANCEL}",
    "complete, force cancel": f"{READY}, {{at: whenever}}, complete, {FORCE_CANCEL}",
    "soft cancel": SOFT_CANCEL,
    "force cancel": FORCE_CANCEL,
    "pause": f"{PAUSE}{READY}, complete",
    "pause, force cancel": f"{{at: whenever}}, {{pause: {{refused: maybe}}}}, {FORCE_CANCEL}",
}
MORE_ENDS = {
    "complete, pause": f"{READY}, complete, {PAUSE.removesuffix(', ')}",
    "drain of the source": f"{{at: whenever}}, {{drain: src}}, {{at: whenever}}, {{undrain: src}}, {READY}, complete",
    "drain of the target": f"{{at: whenever}}, {{drain: dst}}, {{at: whenever}}, {{undrain: dst}}, {READY}, complete",
}

# Source, target, and what the job says of them.
DISKS = {
    # One copy moves all.
    "plain": ("src: {size: 160KiB, fill: unique}", "dst: {size: 160KiB, fill: garbage}", ""),
    # One chunk at a time.
    "small buffer": ("src: {size: 160KiB, fill: unique}", "dst: {size: 160KiB, fill: garbage}", ", buffer: 64KiB"),
    # Three operations at a time, of which the second writes zeroes.
    "a hole": ("src: {size: 160KiB, fill: unique, allocated: [{at: 0, len: 64KiB}, {at: 128KiB, len: 32KiB}]}",
               "dst: {size: 160KiB, fill: garbage}", ""),
    # Data, zeroes and nothing, to a target that can't fill clusters of two chunks.
    "top of a chain": ("src: {size: 160KiB, fill: unique, allocated: [{at: 0, len: 64KiB}], zeroes: [{at: 64KiB, len: 64KiB}], backing: base}",
                       "dst: {size: 160KiB, cluster: 128KiB, backing: {name: base, state: closed}}\n"
                       "  base: {size: 160KiB, fill: unique}",
                       ", sync: top, backing-mode: open"),
}

STORY = """scenario: 1
name: verify
generation: modern
doc: Made up by tools/dev/verify.
limits: {{filter-discards: true}}
disks:
  {source}
  {target}
job: {{mirror: src, to: dst, granularity: 64KiB, copy-mode: {mode}, on-source-error: {policy}, on-target-error: {policy}{more}}}
guest:
  w1: {{at: whenever, {first}}}
  w2: {{at: whenever, {second}}}
react:
  - {{when: {{event: error, action: stop}}, do: resume}}
steps: [start, {before}{end}, {{wait: concluded}}]
expect: [{{atmost: {{event: completed, times: 1}}}}]
"""


def story(requests, mode, end, disks, policy="ignore"):
    copy_mode, before = MODES[mode]
    source, target, more = DISKS[disks]
    return STORY.format(source=source, target=target, mode=copy_mode, policy=policy, more=more, first=requests[0],
                        second=requests[1], before=before, end=end)


def stories(requests, ends, *how):
    """(what it is of, the text) of each."""
    for first, second in itertools.combinations_with_replacement(requests, 2):
        for end in ends:
            yield f"{first} and {second}, {end}", story((requests[first], requests[second]), how[0], ends[end], *how[1:])


def families():
    """(name, whether something fails, stories) of each."""
    for disks, mode in itertools.product(DISKS, MODES):
        yield f"{disks}, {mode}", False, list(stories(REQUESTS | MORE_REQUESTS, ENDS | MORE_ENDS, mode, disks))
        yield f"{disks}, {mode}", True, list(stories(REQUESTS, ENDS, mode, disks))
    for mode, policy in itertools.product(MODES, ("report", "stop")):
        yield f"plain, {mode}, {policy}", True, list(stories(REQUESTS, ENDS, mode, "plain", policy))
