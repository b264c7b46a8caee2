# SPDX-License-Identifier: LGPL-2.1-or-later
"""A qemu-storage-daemon that lives for one run, and its monitor. It dies with whoever started it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from peer_loop import Connection, Loop

DEFAULT = "qemu-storage-daemon"
PATIENCE_S = 10.0  # for an answer: hundreds of times what a busy machine needs
OLDEST = (6, 2)  # before, the life of a job was another
NEEDED = {"blockdev-add", "blockdev-create", "blockdev-mirror", "block-commit", "block-export-add", "nbd-server-start",
          "job-complete", "job-pause", "query-jobs"}


class DaemonFailed(Exception):
    """There is no daemon to compare with: exit code 3."""


class DaemonDied(Exception):
    """It ended in the middle of a story."""


class DaemonStuck(Exception):
    """Its monitor does not answer any more."""


class Refused(Exception):
    """A command that it did not accept."""


class Daemon:
    """`event(message)` is called for each event of its monitor, in order."""

    def __init__(self, loop, path, event, patience=PATIENCE_S):
        self.loop, self.path, self.event, self.patience = loop, path, event, patience
        self.replies, self.number, self.greeting, self.is_dead = {}, 0, None, False
        self.buffer = bytearray()
        self.log = tempfile.TemporaryFile()
        ours, theirs = socket.socketpair()
        try:
            self.process = subprocess.Popen(self._command(theirs.fileno()), pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                                            stdout=self.log, stderr=self.log, start_new_session=True)
        except OSError as error:
            ours.close()
            raise DaemonFailed(f"{path} can't be started: {error.strerror}") from error
        finally:
            theirs.close()
        self.connection = Connection(loop, ours)
        self.connection.user = self

    def _command(self, monitor):
        # One that aborts leaves no core file.
        return ["prlimit", "--core=0", "setpriv", "--pdeathsig", "KILL", self.path, "--chardev", f"socket,id=monitor,fd={monitor}",
                "--monitor", "chardev=monitor"]

    # ---- Its monitor ----

    def received(self, data):
        self.buffer += data
        *lines, rest = self.buffer.split(b"\n")
        self.buffer = bytearray(rest)
        for line in lines:
            if line.strip():
                self._message(line)

    def _message(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            message = {}
        if "QMP" in message:
            self.greeting = message["QMP"]
        elif "event" in message:
            self.event(message)
        elif "id" in message:
            self.replies[message["id"]] = message

    def closed(self):
        self.is_dead = True

    def send(self, execute, arguments):
        """Returns the number by which its reply is known."""
        self.number += 1
        message = {"execute": execute, "arguments": arguments, "id": self.number}
        self.connection.send_all(json.dumps(message).encode() + b"\n")
        return self.number

    def has_answered(self, number):
        return number in self.replies or self.is_dead

    def reply(self, number):
        """Waits for it; returns what it returns, or raises Refused with its sentence."""
        if not self.loop.until(lambda: self.has_answered(number), self.patience):
            raise DaemonStuck("its monitor does not answer")
        if number not in self.replies:
            raise DaemonDied(self.how_it_ended())
        message = self.replies.pop(number)
        if "error" in message:
            raise Refused(message["error"]["desc"])
        return message["return"]

    def ask(self, execute, **arguments):
        return self.reply(self.send(execute, arguments))

    def turn(self):
        """When this returns, it has taken notice of all that was sent to it before, over other sockets, too."""
        self.ask("query-version")
        self.ask("query-version")

    # ---- Its life ----

    def greet(self):
        """Waits until it is there, and looks whether it is one that can be compared with; returns its version."""
        self.loop.until(lambda: self.greeting or self.is_dead, self.patience)
        if not self.greeting:
            raise DaemonFailed(f"{self.path} ended before it said anything: {self.how_it_ended()}" if self.is_dead else
                               f"{self.path} has not said anything for {self.patience:g} s")
        try:
            said = self.greeting["version"]["qemu"]
            version = (said["major"], said["minor"], said["micro"])
        except (KeyError, TypeError) as error:
            raise DaemonFailed(f"{self.path} does not say its version: it is no QEMU") from error
        if version < OLDEST:
            raise DaemonFailed(f"{self.path} is version {version_text(version)}; stories of today's mirror need "
                               f"{version_text(OLDEST)} or later")
        try:
            self.ask("qmp_capabilities")
            missing = NEEDED - {command["name"] for command in self.ask("query-commands")}
        except (DaemonDied, DaemonStuck, Refused) as error:
            raise DaemonFailed(f"{self.path} greets, but then: {error}") from error
        if missing:
            raise DaemonFailed(f"{self.path} has not got the command {min(missing)}")
        return version

    def how_it_ended(self):
        self.stop()
        self.log.seek(0)
        words = self.log.read().decode(errors="replace").strip().splitlines()
        code = self.process.returncode
        end = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"{end}: {words[-1]}" if words else end

    def stop(self):
        """Ends it: what it has written is in our disks or of no use. One whose monitor is closed ends by itself."""
        if self.is_dead:
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                pass
        self.process.kill()
        self.process.wait()
        self.connection.close()


def version_text(version):
    return ".".join(map(str, version))


def find(path):
    """The daemon's program, or DaemonFailed."""
    found = shutil.which(path)
    if found:
        return os.path.abspath(found)
    if path == DEFAULT:
        raise DaemonFailed(f"there is no {path}: on Debian the package qemu-system-common has it; --daemon names another")
    raise DaemonFailed(f"{path} is no program that can be run")


def probe(path, patience):
    """Starts and ends one, to see whether stories can be driven on it; returns its version."""
    loop = Loop()
    daemon = Daemon(loop, path, lambda message: None, patience)
    try:
        return daemon.greet()
    finally:
        daemon.stop()
        loop.close()
