# SPDX-License-Identifier: LGPL-2.1-or-later
"""A story in the daemon's words: its disks as nodes, its job and commands as those of the monitor, what it says as our words.

Every disk is a node of the network block device driver, served by this program. One that has clusters or a backing file is a
qcow2 image whose data lie in such a disk, each at its own offset (an external data file), and whose tables lie in a file.
Nothing here talks to a daemon: tests read what comes out."""

import json
import re
from typing import NamedTuple

from peer_story import size

CHUNK = 64 << 10  # what our engine takes for a target without clusters


class Command(NamedTuple):
    execute: str
    arguments: dict


class Fill(NamedTuple):
    """The first content of an image: what is written through a node, before the story begins."""
    node: str
    disk: str
    data: list  # of (offset, bytes): sectors as the disk's fill
    zeroes: list


# ---- Disks ----

def net(disk):
    """The node that speaks with this program."""
    return f"{disk.name}-data" if disk.has_header else f"{disk.name}-net"


def served(name, sockets):
    return {"driver": "nbd", "server": {"type": "unix", "path": sockets["disks"]}, "export": name}


def path_of(disk, sockets):
    return f"{sockets['directory']}/{disk.name}.qcow2"


def name_of(disk, sockets):
    """The name by which a header, or drive-mirror, names the disk."""
    if not disk.has_header:
        return f"nbd+unix:///{disk.name}?socket={sockets['disks']}"
    image = {"driver": "qcow2", "file": {"driver": "file", "filename": path_of(disk, sockets)},
             "data-file": served(disk.name, sockets)}
    return "json:" + json.dumps(image, separators=(",", ":"))


def drive_mirror(story):
    """The job makes or opens the target itself."""
    return story.job.get("backing-mode", "leave") != "leave"


def options(disk, story):
    """What a node of either kind is told. The guest's disk takes its discards; of the target it would say that it unmaps."""
    said = {}
    if disk.unmap or disk.name == source(story):
        said["discard"] = "unmap"
    if disk.detect_zeroes != "stay":
        said["detect-zeroes"] = {"zero": "on", "unmap": "unmap"}[disk.detect_zeroes]
    if disk.read_only:
        said["read-only"] = True
    return said


def header(disk, story, sockets):
    """The image's own words, of which the backing file is one."""
    said = {"driver": "qcow2", "file": f"{disk.name}-file", "data-file": f"{disk.name}-data", "size": disk.size,
            "cluster-size": disk.cluster or 512}
    if disk.subcluster:
        said["extended-l2"] = True
    if disk.backing:
        backing = story.disks[disk.backing]
        fails = any(event["event"] == "fault" and event["op"] == "open-backing" for event in story.trace)
        missing = f"nbd+unix:///no-such-disk?socket={sockets['disks']}"
        said["backing-file"] = missing if fails and not disk.backing_open else name_of(backing, sockets)
        said["backing-fmt"] = "qcow2" if backing.has_header else "raw"
    return said


def qcow2_nodes(disk, story, sockets):
    """Makes the image, fills it, and opens it, unless the job opens it."""
    name = disk.name
    path = path_of(disk, sockets)
    yield Command("blockdev-create", {"job-id": "create", "options": {"driver": "file", "filename": path, "size": 0}})
    yield Command("blockdev-add", {"driver": "file", "node-name": f"{name}-file", "filename": path})
    yield Command("blockdev-add", {**served(name, sockets), "node-name": f"{name}-data"})
    yield Command("blockdev-create", {"job-id": "create", "options": header(disk, story, sockets)})
    parts = {"driver": "qcow2", "file": f"{name}-file", "data-file": f"{name}-data"}
    data = disk.allocated if disk.fill != "zero" else []
    zeroes = disk.zeroes + (disk.allocated if disk.fill == "zero" else [])
    if data or zeroes:
        yield Command("blockdev-add", {**parts, "node-name": f"{name}-fill", "backing": None})
        yield Fill(f"{name}-fill", name, data, zeroes)
        yield Command("blockdev-del", {"node-name": f"{name}-fill"})
    if drive_mirror(story) and name == story.job["to"]:
        yield Command("blockdev-del", {"node-name": f"{name}-data"})
        yield Command("blockdev-del", {"node-name": f"{name}-file"})
        return
    backing = disk.backing if disk.backing and disk.backing_open else None
    yield Command("blockdev-add", {**parts, **options(disk, story), "node-name": name, "backing": backing})


def filter_nodes(disk, story):
    """Something that only passes requests on; what a child of it may be replaced in is a quorum."""
    if "replaces" in story.job:
        yield Command("blockdev-add", {"driver": "quorum", "node-name": disk.name, "vote-threshold": 1,
                                       "children": [disk.backing]})
        return
    yield Command("object-add", {"qom-type": "throttle-group", "id": f"{disk.name}-group"})
    yield Command("blockdev-add", {"driver": "throttle", "node-name": disk.name, "throttle-group": f"{disk.name}-group",
                                   "file": disk.backing})


def nodes_of(disk, story, sockets):
    if disk.is_filter:
        return filter_nodes(disk, story)
    if not disk.has_header:
        # A format node above, so that `nudge` reaches the one below while a job has the disk for itself.
        return [Command("blockdev-add", {"driver": "raw", **options(disk, story), "node-name": disk.name,
                                         "file": {**served(disk.name, sockets), "discard": "unmap", "read-only": False,
                                                  "node-name": net(disk)}})]
    if story.job.get("backing-mode") == "source" and disk.name == story.job["to"]:
        return []  # drive-mirror makes it
    return qcow2_nodes(disk, story, sockets)


def bases_first(story):
    """The disks, each after its backing."""
    order = []

    def add(name):
        if name not in order:
            if story.disks[name].backing:
                add(story.disks[name].backing)
            order.append(name)
    for name in story.disks:
        add(name)
    return [story.disks[name] for name in order]


def preparations(story, sockets):
    """What makes the story's disks: Commands and Fills, in order. The guest's disk is exported as `guest`."""
    yield Command("nbd-server-start", {"addr": {"type": "unix", "data": {"path": sockets["exports"]}}})
    for disk in bases_first(story):
        yield from nodes_of(disk, story, sockets)
    yield export("guest", source(story), writable=not story.disks[source(story)].read_only)
    for disk in story.disks.values():
        if can_be_nudged(disk, story):
            yield export(nudge(disk), net(disk), writable=False)


def nudge(disk):
    return f"nudge-{disk.name}"


def can_be_nudged(disk, story):
    """A job shares reads of what it writes to with nobody."""
    return not disk.is_filter and not disk.has_header and disk.name != story.job["into" if story.is_commit else "to"]


def export(name, node, writable):
    return Command("block-export-add", {"type": "nbd", "id": name, "name": name, "node-name": node, "writable": writable})


def reopening(disk, story):
    """Whoever adds a target without its backing attaches it in the end."""
    return Command("blockdev-reopen", {"options": [{"driver": "qcow2", "node-name": disk.name, "file": f"{disk.name}-file",
                                                    "data-file": f"{disk.name}-data", **options(disk, story),
                                                    "backing": disk.backing}]})


# ---- The job ----

def source(story):
    return story.job["commit" if story.is_commit else "mirror"]


def job_id(story):
    return story.job.get("id", source(story))


def always(word):
    return word == "always"


# Key of the language: the daemon's, and how its value is said.
JOB_KEYS = {"sync": ("sync", str), "granularity": ("granularity", size), "buffer": ("buf-size", size),
            "speed": ("speed", size), "on-source-error": ("on-source-error", str),
            "on-target-error": ("on-target-error", str), "replaces": ("replaces", str), "copy-mode": ("copy-mode", str),
            "auto-finalize": ("auto-finalize", always), "auto-dismiss": ("auto-dismiss", always),
            "filter-node": ("filter-node-name", str), "target-is-zero": ("target-is-zero", bool), "on-error": ("on-error", str)}


def start(story, sockets):
    job = story.job
    said = {"job-id": job_id(story), "device": source(story)}
    said |= {JOB_KEYS[key][0]: JOB_KEYS[key][1](value) for key, value in job.items() if key in JOB_KEYS}
    if story.is_commit:
        return Command("block-commit", {**said, "top-node": source(story), "base-node": job["into"]})
    target = story.disks[job["to"]]
    said.setdefault("sync", "full")
    # A backing file without clusters is an image with clusters of a sector here, of which the job must not know.
    if target.has_header and not target.cluster and not said.get("granularity"):
        said["granularity"] = CHUNK
    if said.get("granularity") == 0:
        del said["granularity"]
    if not drive_mirror(story):
        return Command("blockdev-mirror", {**said, "target": job["to"]})
    if job["backing-mode"] == "source":
        said |= {"target": path_of(target, sockets), "mode": "absolute-paths"}
    else:
        said |= {"target": name_of(target, sockets), "mode": "existing"}
    return Command("drive-mirror", {**said, "format": "qcow2", "node-name": job["to"]})


def verb(event, status, story):
    """The monitor's command for a command of our trace; `status` is the job's, by which a soft cancel is known."""
    job = job_id(story)
    word = event["verb"]
    if word == "cancel":
        # Not ready, each cancel is by force, and block-job-cancel would refuse it to a paused job.
        if event.get("force") or status not in ("ready", "standby"):
            return Command("block-job-cancel", {"device": job, "force": True})
        return Command("block-job-cancel", {"device": job, "force": False})
    if word == "set-speed":
        return Command("block-job-set-speed", {"device": job, "speed": event["speed"]})
    if word == "change":
        return Command("block-job-change", {"id": job, "type": "commit" if story.is_commit else "mirror",
                                            "copy-mode": event["copy_mode"]})
    return Command(f"job-{word}", {"id": job})


# ---- What it says ----

REFUSALS = (
    (r"cannot accept command verb", "verb"),
    (r"Change to copy mode .* is not implemented", "mode"),
    (r"does not support change", "type"),
    (r"already paused", "paused"),
    (r"not paused", "not-paused"),
    (r"currently paused", "soft-cancel-of-a-paused-job"),
    (r"cannot be completed|not ready", "not-ready"),
    (r"Job ID '.*' already in use", "id"),
    (r"is in use by|is busy|block device is in use|conflicting use|locked|Permission conflict", "busy"),
    (r"into itself", "itself"),
    (r"[Jj]ob .*not found|not found for job", "not-active"),
    (r"No .*active block job|Job not found", "not-active"),
    (r"Cannot find|Failed to find|not a child|does not exist", "not-found"),
    (r"[Pp]arameter|must be|power of 2|Invalid", "invalid-parameter"),
)


def refusal(sentence):
    return next((word for pattern, word in REFUSALS if re.search(pattern, sentence)), "failed")


RESULTS = (
    ("Input/output error", "EIO"), ("No space left on device", "ENOSPC"), ("Operation not permitted", "EPERM"),
    ("Cannot allocate memory", "ENOMEM"), ("Invalid argument", "EINVAL"), ("Operation not supported", "ENOTSUP"),
    ("Value too large", "EOVERFLOW"), ("Cannot send after transport endpoint shutdown", "ESHUTDOWN"),
    ("Source and target image have different sizes", "EINVAL"), ("No such file", "ENOENT"),
    ("Device or resource busy", "EBUSY"),
)


def result(sentence):
    if sentence is None:
        return "ok"
    return next((word for text, word in RESULTS if text in sentence), sentence)


def happened(message):
    """An event of the monitor in our words; None for one that our trace has not got."""
    data = message.get("data", {})
    kind = message["event"]
    if kind == "JOB_STATUS_CHANGE":
        return f"status {data['status']}"
    if kind == "BLOCK_JOB_ERROR":
        return f"error {data['operation']} {data['action']}"
    if kind == "BLOCK_JOB_COMPLETED":
        return f"completed {result(data.get('error'))}"
    return {"BLOCK_JOB_READY": "ready", "BLOCK_JOB_PENDING": "pending", "BLOCK_JOB_CANCELLED": "cancelled"}.get(kind)


def progress(event):
    """How far a job had come that has just ended: of the monitor's event, or of ours."""
    return f"{event.get('offset', 0)} of {event.get('len', 0)}"


def happened_in_ours(event):
    """The same of an event of our trace."""
    kind = event["event"]
    if kind == "status":
        return f"status {event['to']}"
    if kind == "error":
        return f"error {'read' if event['op'] == 'read' else 'write'} {event['action']}"
    if kind == "completed":
        return f"completed {event['ret']}"
    return kind if kind in ("ready", "pending", "cancelled") else None
