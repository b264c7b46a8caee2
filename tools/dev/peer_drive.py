# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays a story on a daemon.

Our trace is the script. The daemon's requests to its disks come here, and each is known as one of ours by its kind and
place; it has its effect, and is answered, when the script gets there, with the result that it had in our run. Commands and
guest requests are given when the script gets to them, and a change of the job's state is waited for. So the daemon's job
sees the order that ours saw, and nothing depends on how fast a machine is.

Where the daemon does something else (no request comes that ours made, no event), the script loosens its grip: from then on
every request is answered at once. What comes out is compared all the same."""

import time
from pathlib import Path

from peer_commands import (Fill, can_be_nudged, drive_mirror, export, happened, happened_in_ours, job_id, nudge, preparations,
                           progress, refusal, reopening, source, start, verb)
from peer_daemon import Daemon, DaemonDied, DaemonFailed, DaemonStuck, Refused
from peer_disk import MemoryDisk, error_name, fill_bytes, guest_bytes
from peer_loop import Listener, Loop
from peer_nbd import Export, Guest
from peer_ours import Account, Requests
from peer_story import ERRORS

WAIT_S = 3  # for what our run had next: the job's longest sleep is 100 ms, and a little is for a busy machine
EARLY_S = 0.5  # after which an answer has not been noticed
HELD_UP_S = 0.5  # after which a command without a reply waits for the guest
LONGEST_RUN_S = 20
PIECE = 1 << 20
NUDGE_BYTES = 1  # no story has such a request
READER = 1 << 40  # numbers of requests that are not the story's


class NotExpressed(Exception):
    """Only the daemon's answer shows that the story can't be told to it."""


class Drive:
    def __init__(self, story, daemon_path, directory, patience):
        self.story = story
        self.sockets = {"directory": str(directory), "disks": f"{directory}/disks", "exports": f"{directory}/exports"}
        self.loop = Loop()
        self.requests = Requests(story)
        self.events, self.commands, self.guest_ends, self.queries, self.progress, self.notes = [], [], {}, [], [], []
        self.script_events = 0  # how many events of the job the script has passed
        self.is_played = self.is_over = self.is_loose = self.is_hopeless = False
        self.is_lockstep, self.is_disturbed = True, False
        self.answered, self.unnoticed = set(), set()  # disks: of which some request was answered; whose last answer may be unnoticed
        self.parked = []  # requests of the daemon that the script has not come to yet
        self.pending = None  # the number of a command whose reply is not read yet
        self.disks = {disk.name: self._disk(disk) for disk in story.disks.values() if not disk.is_filter}
        self.daemon = Daemon(self.loop, daemon_path, self._event, patience)
        Listener(self.loop, self.sockets["disks"], lambda connection: Export(connection, self.disks, self._asked))
        self.guest = None
        self.nudges, self.nudged = {}, 2 * READER  # connections by which a disk is read, and the number of the last such read
        self.read = {}
        self.deadline = time.monotonic() + LONGEST_RUN_S
        self.status = "undefined"

    @staticmethod
    def _disk(disk):
        memory = MemoryDisk(disk.size, disk.unmap or disk.has_header)
        if not disk.has_header:
            for offset, length in disk.allocated if disk.fill != "zero" else []:
                memory.put(offset, fill_bytes(disk.number, offset, length))
            for offset, length in disk.zeroes + (disk.allocated if disk.fill == "zero" else []):
                memory.zero(offset, length, 2)
        return memory

    # ---- What the daemon says ----

    def _event(self, message):
        word = happened(message)
        if word and message.get("data", {}).get("id", message.get("data", {}).get("device")) == job_id(self.story):
            self.events.append(word)
            if word == "completed ok":
                self.progress.append(progress(message["data"]))
            if word.startswith("status "):
                self.status = word[7:]

    def _asked(self, request):
        if request.bytes == NUDGE_BYTES and request.op == "read":
            request.export.answer(request, 0, bytes(NUDGE_BYTES))
            return
        if self.is_played and request.op != "block-status" and not self._is_of_start(request):
            request.ours = self.requests.match(request)
        if request.ours:
            request.ours.real = request
            if not request.ours.is_done and not self.is_loose:
                self._park(request)
                return
        elif self.is_played and not self.is_over and request.op != "block-status":
            self.is_lockstep = self.is_lockstep and request.op == "flush"
            self.notes.append(f"not in our run: {request.disk} {request.op} {request.offset}+{request.bytes}")
        self._answer(request)

    def _park(self, request):
        self.parked.append(request)
        # It may have been on its way when another was answered: then that answer was one while others are missing.
        if request.disk in self.answered and request.disk not in self.nudges:
            self.unnoticed.add(request.disk)

    def _is_of_start(self, request):
        """A start may flush a disk that it opens anew, and waits for that: it is no flush of the job."""
        return request.op == "flush" and self.pending is not None and self.pending[1] == "start"

    def _have_effect(self, request):
        ours = request.ours
        disk = self.disks[request.disk]
        if request.read is not None:
            return
        if ours is None or ours.ret == "ok":
            request.read = disk.do(request)
        else:
            request.read = b""
            if ours.applied and request.op == "write":
                disk.put_torn(request.offset, request.data, ours.applied)

    def _answer(self, request):
        if request.answered:
            return
        self._have_effect(request)
        if request in self.parked:
            self.parked.remove(request)
        error = ERRORS[request.ours.ret] if request.ours and request.ours.ret != "ok" else 0
        if request.op == "block-status":
            request.export.answer(request, extents=request.read)
        else:
            request.export.answer(request, error, request.read)
        self.answered.add(request.disk)
        if any(other.disk == request.disk for other in self.parked):
            self._nudge(request.disk)
        else:
            self.unnoticed.discard(request.disk)

    def _nudge(self, disk):
        """The daemon takes notice of an answer while others are missing only when one more comes on that connection."""
        if disk in self.nudges:
            self.nudged += 1
            self.nudges[disk].ask(self.nudged, "read", 0, NUDGE_BYTES)
        else:
            self.unnoticed.add(disk)

    def _held_back(self):
        """The first request that the daemon may wait for though the script comes to it later: where no nudge helps, and of an
        image, which may make another one of ours of what it is asked. Or None."""
        return next((request for request in self.parked
                     if request.disk in self.unnoticed or self.story.disks[request.disk].has_header), None)

    def _answer_early(self, request):
        self.is_disturbed = self.is_disturbed or request.disk in self.unnoticed
        self._answer(request)

    def _guest_done(self, number, error, data):
        self.guest_ends[number] = error_name(error)
        if number >= READER:
            self.read[number] = data

    # ---- Waiting ----

    def _until(self, condition, missing):
        """Waits for what our run had; if it does not come, the script lets go, and waits once more."""
        def over():
            return condition() or self.daemon.is_dead
        if time.monotonic() > self.deadline:
            self._loosen("takes too long")
            self.is_hopeless = True
        if self.is_hopeless:
            self.loop.until(condition, 0)
            return condition()
        while not self.is_loose and self._held_back() and not self.loop.until(over, EARLY_S):
            self._answer_early(self._held_back())
        if not self.is_loose and not self.loop.until(over, WAIT_S):
            self._loosen(missing)
        if self.is_loose and not self.loop.until(over, WAIT_S):
            self.is_hopeless = True
        self._look_alive()
        return condition()

    def _look_alive(self):
        if self.daemon.is_dead:
            raise DaemonDied(self.daemon.how_it_ended())

    def _loosen(self, why=""):
        if not self.is_loose:
            self.is_loose = True
            if why:
                self.notes.append(f"from here on not step by step: the daemon {why}")
            while self.parked:
                self._answer(self.parked[0])

    def _turn(self):
        """The daemon has taken notice of all that it was sent; not while a command of ours holds up its monitor."""
        if self.pending is not None:
            return
        for _ in range(2):
            if not self._is_answered(self.daemon.send("query-version", {}), ""):
                return

    # ---- The script ----

    def _await_request(self, ours):
        """Until the daemon has made this request; it need not: a flush of what is clean, a write to an image's tables."""
        if self.is_loose or self.story.disks[ours.disk].has_header or self.story.disks[ours.disk].is_filter:
            return
        seen = self.script_events

        def come():
            answered = ours.by == "guest" and ours.number in self.guest_ends
            return ours.real is not None or len(self.events) > seen or answered
        self._until(come, f"does not make the request {ours}")

    def _effect(self, event):
        ours = self.requests.by_number.get(event.get("request"))
        if ours:
            self._await_request(ours)
            ours.has_effect = True
            if ours.real:
                self._have_effect(ours.real)

    def _done(self, event):
        ours = self.requests.by_number.get(event.get("request"))
        if ours:
            self._await_request(ours)
            ours.is_done = True
            if ours.real:
                self._answer(ours.real)

    def _job_event(self, event):
        self.script_events += 1
        self._until(lambda: len(self.events) >= self.script_events, f"does not come to {happened_in_ours(event)}")

    def _arrive(self, event):
        self._turn()
        data = guest_bytes(event["request"], event["bytes"]) if event["op"] == "write" else b""
        self.guest.ask(event["request"], event["op"], event.get("offset", 0), event.get("bytes", 0), data)
        self._turn()

    def _answered(self, event):
        self._until(lambda: event["request"] in self.guest_ends, "does not answer the guest")

    def _is_answered(self, number, name):
        """Reads the reply to a command; false, and it will be read later, if a drained section holds it up: that ends after the
        guest's requests, which the script ends later."""
        self.pending = (number, name)
        if self.guest.asked:
            self.loop.until(lambda: self.daemon.has_answered(number), HELD_UP_S)
            if not self.daemon.has_answered(number):
                return False
        self._settle_command()
        return True

    def _settle_command(self):
        """Reads the reply of the last command."""
        if self.pending is None:
            return
        number, name = self.pending
        self._until(lambda: self.daemon.has_answered(number), f"does not answer {name or 'its monitor'}")
        self.pending = None
        if not name:
            self.daemon.reply(number)
            return
        try:
            self.daemon.reply(number)
            self.commands.append(f"{name}: ok")
        except Refused as error:
            self.commands.append(f"{name}: {refusal(str(error))}")
            self.notes.append(f"{name} was refused: {error}")

    def _command(self, name, command):
        self._settle_command()
        self._turn()
        self._settle_command()
        if self._is_answered(self.daemon.send(*command), name):
            self._turn()

    def _step(self, event):
        if event["do"] == "start":
            self._command("start", start(self.story, self.sockets))
        elif event["do"] in ("query", "job-none"):
            self._settle_command()
            self._turn()
            self._settle_command()
            jobs = [job["status"] for job in self.daemon.ask("query-jobs") if job["id"] == job_id(self.story)]
            self.queries.append(jobs[0] if jobs else "none")

    def _verb(self, event):
        self._command(event["verb"], verb(event, self.status, self.story))

    def _play(self):
        doing = {"effect": self._effect, "done": self._done, "arrive": self._arrive, "answered": self._answered,
                 "step": self._step, "command": self._verb}
        doing |= dict.fromkeys(("status", "error", "completed", "cancelled", "ready", "pending"), self._job_event)
        self.is_played = True
        for event in self.story.trace:
            if event["event"] in doing:
                doing[event["event"]](event)
        self._settle_command()

    def _come_to_rest(self):
        """What our run has left behind may still move, but not for long."""
        self._loosen()
        self._until(lambda: len(self.events) >= self.script_events and not self.guest.asked, "")
        self.is_over = True
        self.daemon.turn()
        self.daemon.turn()

    # ---- Before and after ----

    def _prepare(self):
        for action in preparations(self.story, self.sockets):
            try:
                self._prepare_one(action)
            except Refused as error:
                raise NotExpressed(f"the daemon refuses to make the disks: {error}") from error
        self.guest = self._open("guest")
        self.nudges = {disk.name: self._open(nudge(disk)) for disk in self.story.disks.values() if can_be_nudged(disk, self.story)}

    def _prepare_one(self, action):
        if isinstance(action, Fill):
            self._fill(action)
        elif action.execute == "blockdev-create":
            self._create(action)
        else:
            self.daemon.ask(action.execute, **action.arguments)

    def _create(self, action):
        """The only command that is a job of its own."""
        done = []
        self.daemon.event = lambda message: done.append(message["data"]["status"]) if "status" in message.get("data", {}) else None
        self.daemon.ask(action.execute, **action.arguments)
        self.loop.until(lambda: "concluded" in done, self.daemon.patience)
        (job,) = self.daemon.ask("query-jobs")
        self.daemon.ask("job-dismiss", id="create")
        self.daemon.event = self._event
        if "error" in job:
            raise Refused(job["error"])

    def _open(self, name):
        connection = self.loop.connect(self.sockets["exports"])
        guest = Guest(connection, name, self._guest_done)
        connection.user = guest
        if not self.loop.until(lambda: guest.is_open or self.daemon.is_dead, self.daemon.patience):
            raise DaemonStuck("its export does not answer")
        self._look_alive()
        return guest

    def _ask_all(self, guest, pieces):
        """Makes these requests, (operation, offset, bytes, data) of each, one after the other; returns their data."""
        read = []
        for number, (op, offset, length, data) in enumerate(pieces, READER):
            self.guest_ends.pop(number, None)
            guest.ask(number, op, offset, length, data)
            if not self.loop.until(lambda: number in self.guest_ends or self.daemon.is_dead, self.daemon.patience):
                raise DaemonStuck("its export does not answer")
            self._look_alive()
            if self.guest_ends[number] != "ok":
                raise Refused(f"{op} at {offset}: {self.guest_ends[number]}")
            read.append(self.read.pop(number))
        return b"".join(read)

    def _fill(self, fill):
        number = self.story.disks[fill.disk].number
        self.daemon.ask("block-export-add", **export("fill", fill.node, True).arguments)
        guest = self._open("fill")
        pieces = [("write", start, length, fill_bytes(number, start, length)) for start, length in in_pieces(fill.data)]
        pieces += [("write-zeroes", start, length, b"") for start, length in in_pieces(fill.zeroes)]
        self._ask_all(guest, [*pieces, ("flush", 0, 0, b"")])
        guest.socket.close()
        gone = []
        self.daemon.event = lambda message: gone.append(message["event"])
        self.daemon.ask("block-export-del", id="fill", mode="hard")
        self.loop.until(lambda: "BLOCK_EXPORT_DELETED" in gone, self.daemon.patience)
        self.daemon.event = self._event

    def _read_all(self, guest, size):
        return self._ask_all(guest, [("read", start, length, b"") for start, length in in_pieces([(0, size)])])

    def _contents(self):
        """What the guest reads, and what each disk holds that no job uses any more."""
        for disk in self.story.disks.values():
            if disk.has_header and disk.backing and not disk.backing_open and not drive_mirror(self.story):
                self._prepare_one(reopening(disk, self.story))
        size = self.story.disks[source(self.story)].size
        found = {"what the guest reads": self._read_all(self.guest, size)}
        for disk in self.story.disks.values():
            if not disk.has_header and not disk.is_filter:
                found[disk.name] = bytes(self.disks[disk.name].bytes)
        return found

    def run(self):
        """Returns the Account of it."""
        account = Account(self.events, self.commands, [], self.queries, {}, self.progress, self.notes)
        self.daemon.greet()
        try:
            self._prepare()
        except (DaemonDied, DaemonStuck) as error:
            raise DaemonFailed(f"before the story began, with the disks of {self.story.label}: {error}") from error
        try:
            self._play()
            self._come_to_rest()
            self._look_back(account)
            account.contents = self._contents()
        except (DaemonDied, DaemonStuck) as error:
            account.died = str(error)
        account.guest = [f"{self._guest_request(number)}: {end}" for number, end in sorted(self.guest_ends.items())
                         if number < READER]
        return account

    def _look_back(self, account):
        """Which requests of our run the daemon has not made."""
        missing = [ours for ours in self.requests.by_number.values() if ours.real is None]
        account.is_lockstep = self.is_lockstep and not any(ours.op != "flush" for ours in missing)
        account.is_disturbed = self.is_disturbed
        account.missed = next((ours.fault for ours in missing if ours.fault), "")

    def _guest_request(self, number):
        event = next(event for event in self.story.trace if event["event"] == "arrive" and event["request"] == number)
        return f"{event['op']} {event.get('offset', 0)}+{event.get('bytes', 0)}"

    def close(self):
        self.daemon.stop()
        self.loop.close()


def in_pieces(ranges):
    return [(start, min(PIECE, offset + length - start)) for offset, length in ranges
            for start in range(offset, offset + length, PIECE)]


def drive(story, daemon_path, directory, patience):
    """One run of the story on a daemon of its own; the directory must be empty."""
    Path(directory).mkdir(exist_ok=True)
    driven = Drive(story, daemon_path, directory, patience)
    try:
        return driven.run()
    finally:
        driven.close()
