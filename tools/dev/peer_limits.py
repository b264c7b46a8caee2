# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a daemon can't be made to do, each with the line of the story and a reason; and what of a story real time decides."""

from peer_story import DATA_OPERATIONS, ERRORS, SECTOR, Cannot, List, Map

LARGEST_DISK = 64 << 20  # it is in the memory of this program, and moved once a run
LONGEST_SLEEP_NS = 2_000_000_000
LONGEST_SCRIPT = 4000  # events of our trace: a guest's request takes some conversation with the daemon

# Keys that change nothing for the daemon: the order in our trace has what they say, or nobody but our oracles asks.
DISK_KEYS = {"size", "fill", "allocated", "backing", "cluster", "zeroes", "unmap", "subcluster", "detect-zeroes", "read-only",
             "role", "backing-possible", "latency", "lanes", "bandwidth", "atomic", "cache"}
STEPS_THAT_CANNOT_BE = {
    "drain": "the daemon has no command that begins a drained section",
    "undrain": "the daemon has no command that ends a drained section",
    "use": "the daemon has no other user for the disk",
    "power-cut": "the daemon's disks don't lose power",
    "query-disk": "the daemon doesn't show it",
}
FAULTS_THAT_CANNOT_BE = ("lost", "torn", "corrupt", "stale", "misdirect", "claims", "drops")


# ---- What can't be expressed ----

def subclusters_are_right(disk):
    return not disk.subcluster or disk.subcluster * 32 == disk.cluster and disk.cluster >= 16 << 10


def disk_cannot(disk, said):
    lines = said.lines
    for key in said:
        if key not in DISK_KEYS and (key, said[key]) not in (("effect", "complete"), ("effect", "start")):
            yield Cannot(lines[key], f"{key} of a disk")
    if said.get("cluster") == "unknown":
        yield Cannot(lines["cluster"], "every format of the daemon knows its clusters")
    if disk.size > LARGEST_DISK:
        yield Cannot(lines["size"], f"a disk of more than {LARGEST_DISK >> 20} MiB")
    if disk.has_header and not 512 <= (disk.cluster or 512) <= 2 << 20:
        yield Cannot(lines["cluster"], "qcow2 has clusters of 512 bytes to 2 MiB")
    unit = disk.cluster or SECTOR
    whole = all(offset % unit == 0 and (bytes_ % unit == 0 or offset + bytes_ == disk.size)
                for offset, bytes_ in disk.allocated + disk.zeroes)
    if disk.has_header and not whole:
        yield Cannot(lines.get("allocated", said.line), "qcow2 allocates whole clusters only")
    if not subclusters_are_right(disk):
        yield Cannot(lines["subcluster"], "qcow2 has 32 subclusters in a cluster of 16 KiB or more")


def replaceable(disks, source):
    """The source, and what it only passes requests on to."""
    names = [source]
    while disks[names[-1]].is_filter:
        names.append(disks[names[-1]].backing)
    return names


def job_cannot(job, disks):
    lines = job.lines
    target = disks.get(job.get("to", ""))
    source = job["commit" if "commit" in job else "mirror"]
    if "target-is-zero" in job:
        yield Cannot(lines["target-is-zero"], "blockdev-mirror has got it since 10.1", (10, 1))
    if "auto-complete" in job:
        yield Cannot(lines["auto-complete"], "block-commit completes only what is not the active layer by itself")
    if job.get("replaces", source) not in replaceable(disks, source):
        yield Cannot(lines["replaces"], "the monitor looks at the start whether it is a node that can be replaced")
    if "into" in job and disks[job["into"]].size < disks[source].size:
        yield Cannot(lines["into"], "a disk served from here can't grow")
    if job.get("unmap") == "never":
        yield Cannot(lines["unmap"], "blockdev-mirror always unmaps")
    if job.get("backing-mode", "leave") != "leave" and not (target and target.has_header):
        yield Cannot(lines["backing-mode"], "the target is no qcow2 image, and can have no backing")
    if job.get("backing-mode", "leave") != "leave" and target and (target.unmap or target.detect_zeroes != "stay"):
        yield Cannot(lines["backing-mode"], "drive-mirror opens the target as it likes")
    if job.get("backing-mode", "leave") != "leave" and job.get("sync") == "top" and not disks[job["mirror"]].backing:
        yield Cannot(lines["sync"], "drive-mirror copies all of a source without backing")
    if job.get("backing-mode") == "source":
        if target and (target.cluster != 64 << 10 or target.fill != "zero" or target.allocated or target.zeroes
                       or target.backing and target.backing_open):
            yield Cannot(lines["backing-mode"], "drive-mirror makes the target itself: empty, with clusters of 64 KiB")


def fault_cannot(fault, was_hit):
    for key in FAULTS_THAT_CANNOT_BE:
        if key in fault and was_hit:
            yield Cannot(fault.lines[key], f"a disk of ours can't do this to the daemon: {key}")
    if "error" in fault and fault["error"] not in ERRORS and was_hit:
        yield Cannot(fault.lines["error"], f"no disk of the daemon can fail with {fault['error']}")


def steps_cannot(steps):
    for number, step in enumerate(steps):
        for key in ([step] if isinstance(step, str) else step):
            if key in STEPS_THAT_CANNOT_BE:
                yield Cannot(steps.lines[number], STEPS_THAT_CANNOT_BE[key])
            if key == "change":
                yield Cannot(steps.lines[number], "block-job-change came with 8.2", (8, 2))
            if key == "repeat":
                yield from steps_cannot(step["repeat"]["steps"])


def commands_cannot(trace):
    """Commands that come when a monitor's can't: which ones, only our run shows."""
    status = line = ""
    is_over = is_starting = False
    for event in trace:
        kind = event["event"]
        if kind in ("step", "react"):
            line = event["line"]
            is_starting = is_starting or event.get("do") == "start"
        elif kind == "status":
            status, is_over, is_starting = event["to"], False, event["to"] == "created"
        elif kind == "start-refused":
            is_starting = False
        elif kind == "phase":
            is_over = event["to"] in ("exit-drain", "ended")
        elif kind == "command" and is_over:
            yield Cannot(line, "the daemon's monitor takes no command between the end of a job's run and its exit")
        elif kind == "command" and is_starting:
            yield Cannot(line, "the daemon's monitor takes no command while it starts a job")
        elif kind == "command" and event["verb"] == "cancel" and status == "standby" and "force" not in event:
            yield Cannot(line, "block-job-cancel refuses a soft cancel of a paused job, which job-cancel has not got")


def trace_cannot(trace, faults):
    """What only our run shows: what the faults hit."""
    for event in trace:
        if event["event"] in ("fault", "held") and event["op"] not in (*DATA_OPERATIONS, "open-backing"):
            fault = faults.get(event["fault"])
            yield Cannot(fault.line if fault else 0, f"no disk of ours can do this to the daemon's question: {event['op']}")
        if event["event"] == "effect" and event.get("partial"):
            yield Cannot(0, "a request whose sectors move one by one")


def discards_cannot(story):
    """Only the source is opened so that it takes discards: of a target that would say that it unmaps."""
    for event in story.trace:
        if event["event"] == "submit" and event["op"] == "discard" and event.get("by") == "guest":
            disk = story.disks[event["disk"]]
            if disk.name == story.job.get("to") and not disk.unmap:
                yield Cannot(event.get("line", 0), "the target takes no discards of the guest")


def slept_ns(trace):
    """How long, in all, nothing happened before the job's next request."""
    slept = before = 0
    for event in trace:
        if event["event"] == "submit" and event.get("by") == "job":
            slept += event["t"] - before
        before = event["t"]
    return slept


def hit(trace):
    return {event["fault"] for event in trace if event["event"] in ("fault", "held")}


def all_that_cannot(text, story):
    if text.get("generation") != "modern":
        yield Cannot(1, "a story of another generation")
    if story.run["trace_events"] > LONGEST_SCRIPT:
        yield Cannot(text["steps"].line, f"{story.run['trace_events']} events: too long a script")
    for name, said in text["disks"].items():
        yield from disk_cannot(story.disks[name], said)
    yield from job_cannot(story.job, story.disks)
    for name, fault in story.faults.items():
        yield from fault_cannot(fault, name in hit(story.trace))
    if "filter-discards" in text.get("limits", {}):
        yield Cannot(text["limits"].lines["filter-discards"], "the daemon's filter lets no discard through")
    yield from steps_cannot(text["steps"])
    for reaction in text.get("react", []):
        yield from steps_cannot(reaction["do"] if isinstance(reaction["do"], List) else one_step(reaction))
    yield from trace_cannot(story.trace, story.faults)
    yield from discards_cannot(story)
    yield from commands_cannot(story.trace)
    if slept_ns(story.trace) > LONGEST_SLEEP_NS:
        yield Cannot(text["job"].line, f"the job sleeps for {slept_ns(story.trace) / 1e9:.0f} s")


def one_step(reaction):
    steps = List([reaction["do"]])
    steps.lines = [reaction.lines["do"]]
    return steps


# ---- Real time ----

def status_takes_time(said):
    latency = said.get("latency")
    return isinstance(latency, Map) and ("block-status" in latency or "content-status" in latency)


def commands_before(trace):
    """Of each event, the last command before it, or None."""
    last = None
    for event in trace:
        yield last
        if event["event"] == "command":
            last = event


def real_time_lines(text, story):
    """(line, why) of what real time decides: a difference then proves nothing."""
    job = story.job
    if job.get("speed", "0") != "0" and not job["speed"].startswith("-"):
        yield job.lines["speed"], "a speed"
    for event in story.trace:
        if event["event"] == "step" and event["do"] == "set-speed":
            yield event["line"], "a speed"
    for before, event in zip(commands_before(story.trace), story.trace):
        if event["event"] == "arrive" and before and before["t"] == event["t"]:
            yield event["line"], "a guest's request at the instant of a command"
    for said in text["disks"].values():
        if status_takes_time(said):
            yield said.lines["latency"], "a question that takes time"
    for name, said in text.get("guest", {}).items():
        if any(key in said for key in ("rate", "every", "outstanding")):
            yield text["guest"].lines[name], "a guest that goes on by itself"
    for fault in story.faults.values():
        if fault.get("times") == "forever" and "error" in fault:
            yield fault.line, "a fault that never ends"
