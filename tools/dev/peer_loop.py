# SPDX-License-Identifier: LGPL-2.1-or-later
"""One loop over the sockets of a run: nothing in it blocks, and each wait has an end."""

import selectors
import socket
import threading
import time

INTERRUPTED = threading.Event()  # set once the program is to end: whoever waits, stops

NOTICE_S = 0.2


class Interrupted(Exception):
    """The program ends."""


class Connection:
    """A socket that sends what it can, and keeps the rest until more fits."""

    def __init__(self, loop, sock):
        self.loop, self.sock = loop, sock
        self.unsent = bytearray()
        self.user = None  # its received(data) gets what comes, its closed() is called at the end
        sock.setblocking(False)
        loop.selector.register(sock, selectors.EVENT_READ, self)

    def send_all(self, data):
        self.unsent += data
        self._send()

    def _send(self):
        try:
            while self.unsent:
                del self.unsent[:self.sock.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError:  # the other side is dead: the end of its output says so, too
            self.unsent.clear()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        if self.sock.fileno() >= 0:
            self.loop.selector.modify(self.sock, events, self)

    def ready(self, events):
        if events & selectors.EVENT_WRITE:
            self._send()
        if events & selectors.EVENT_READ:
            self._receive()

    def _receive(self):
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.user.received(data)
        else:
            self.close()
            if hasattr(self.user, "closed"):
                self.user.closed()

    def close(self):
        if self.sock.fileno() >= 0:
            self.loop.selector.unregister(self.sock)
            self.sock.close()


class Listener:
    """Makes a user of each connection: make(connection)."""

    def __init__(self, loop, path, make):
        self.loop, self.make = loop, make
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.setblocking(False)
        self.sock.bind(str(path))
        self.sock.listen(64)
        loop.selector.register(self.sock, selectors.EVENT_READ, self)

    def ready(self, _):
        sock, _ = self.sock.accept()
        connection = Connection(self.loop, sock)
        connection.user = self.make(connection)

    def close(self):
        self.loop.selector.unregister(self.sock)
        self.sock.close()


class Loop:
    def __init__(self):
        self.selector = selectors.DefaultSelector()

    def connect(self, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5)
        sock.connect(str(path))
        return Connection(self, sock)

    def until(self, condition, seconds):
        """Serves all sockets until the condition holds; false if it does not within these seconds."""
        deadline = time.monotonic() + seconds
        while not condition():
            rest = deadline - time.monotonic()
            if rest <= 0:
                return False
            for key, events in self.selector.select(min(rest, NOTICE_S)):
                key.data.ready(events)
            if INTERRUPTED.is_set():
                raise Interrupted
        return True

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.data.close()
        self.selector.close()
