# SPDX-License-Identifier: LGPL-2.1-or-later
"""The protocol of network block devices, over unix sockets, from both sides.

Export is a disk that a daemon opens: each of its requests comes to `asked`, and is answered when somebody says so, in any
order. Guest is a user of an export of the daemon. Neither blocks: what a socket has to say is handed in by the loop
(peer_loop.py)."""

import struct
from dataclasses import dataclass

MAGIC, OPTION_MAGIC = b"NBDMAGIC", b"IHAVEOPT"
OPTION_REPLY, REQUEST, SIMPLE_REPLY, STRUCTURED_REPLY = 0x3E889045565A9, 0x25609513, 0x67446698, 0x668E33EF
OPT_ABORT, OPT_INFO, OPT_GO, OPT_STRUCTURED, OPT_LIST_META, OPT_SET_META = 2, 6, 7, 8, 9, 10
REP_ACK, REP_INFO, REP_META, REP_UNSUPPORTED, REP_UNKNOWN = 1, 3, 4, (1 << 31) + 1, (1 << 31) + 6
INFO_EXPORT, INFO_BLOCK_SIZE = 0, 3
HAS_FLAGS, READ_ONLY, FLUSH, TRIM, ZEROES, MULTI = 1, 2, 4, 32, 64, 256
DONE, CHUNK_NONE, CHUNK_DATA, CHUNK_STATUS, CHUNK_ERROR = 1, 0, 1, 5, (1 << 15) + 1
NO_HOLE, ONE_EXTENT = 2, 8
STATUS_HOLE, STATUS_ZERO = 1, 2
CONTEXT = b"base:allocation"
LARGEST = 32 << 20

OPERATIONS = {0: "read", 1: "write", 2: "disconnect", 3: "flush", 4: "discard", 6: "write-zeroes", 7: "block-status"}
NUMBERS = {name: number for number, name in OPERATIONS.items()}


class Broken(Exception):
    """The other side does not speak this protocol."""


@dataclass(eq=False)
class Request:
    """What a daemon asks of a disk."""
    export: object
    disk: str
    op: str
    offset: int
    bytes: int
    data: bytes
    flags: int
    handle: int
    ours: object = None  # the request of our run that it is, once that is known
    answered: bool = False
    read: bytes = None  # what it has read, if it has had its effect


class Export:
    """One connection of a daemon to a disk of ours; which disk, the daemon says."""

    def __init__(self, socket, disks, asked):
        self.socket, self.disks, self.asked = socket, disks, asked
        self.disk, self.has_context, self.structured = None, False, False
        self.buffer = bytearray()
        self.parse = self._flags
        self._send(MAGIC + OPTION_MAGIC + struct.pack(">H", 3))

    def _send(self, data):
        self.socket.send_all(data)

    def received(self, data):
        self.buffer += data
        while self.parse():
            pass

    def _take(self, count):
        if len(self.buffer) < count:
            return None
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    # Each of these takes one message, and says whether there was one.

    def _flags(self):
        if self._take(4) is None:
            return False
        self.parse = self._option
        return True

    def _option(self):
        if len(self.buffer) < 16:
            return False
        magic, option, length = struct.unpack(">8sII", self.buffer[:16])
        if magic != OPTION_MAGIC:
            raise Broken("an option without its magic number")
        if len(self.buffer) < 16 + length:
            return False
        self._take(16)
        self._answer_option(option, self._take(length))
        return True

    def _reply(self, option, kind, data=b""):
        self._send(struct.pack(">QIII", OPTION_REPLY, option, kind, len(data)) + data)

    def _answer_option(self, option, data):
        if option == OPT_STRUCTURED:
            self.structured = True
            self._reply(option, REP_ACK)
        elif option in (OPT_LIST_META, OPT_SET_META):
            self._reply(option, REP_META, struct.pack(">I", 1) + CONTEXT)
            self.has_context = option == OPT_SET_META
            self._reply(option, REP_ACK)
        elif option in (OPT_INFO, OPT_GO):
            self._open(option, data)
        else:
            self._reply(option, REP_UNSUPPORTED)

    def _open(self, option, data):
        (length,) = struct.unpack(">I", data[:4])
        name = data[4:4 + length].decode()
        disk = self.disks.get(name)
        if disk is None:
            self._reply(option, REP_UNKNOWN)
            return
        flags = HAS_FLAGS | FLUSH | TRIM | ZEROES | MULTI
        self._reply(option, REP_INFO, struct.pack(">HQH", INFO_EXPORT, disk.size, flags))
        self._reply(option, REP_INFO, struct.pack(">HIII", INFO_BLOCK_SIZE, 1, 4096, LARGEST))
        self._reply(option, REP_ACK)
        if option == OPT_GO:
            self.disk = name
            self.parse = self._request

    def _request(self):
        if len(self.buffer) < 28:
            return False
        magic, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", self.buffer[:28])
        if magic != REQUEST or kind not in OPERATIONS:
            raise Broken("a request without its magic number")
        op = OPERATIONS[kind]
        if op == "write" and len(self.buffer) < 28 + length:
            return False
        self._take(28)
        data = self._take(length) if op == "write" else b""
        if op != "disconnect":
            self.asked(Request(self, self.disk, op, offset, length, data, flags, handle))
        return True

    # ---- Answers ----

    def answer(self, request, error=0, data=b"", extents=()):
        """With an error's number, or what was read, or (bytes, flags) of extents."""
        assert not request.answered
        request.answered = True
        if request.op not in ("read", "block-status") or not self.structured:
            self._send(struct.pack(">IIQ", SIMPLE_REPLY, error, request.handle) + (data if not error else b""))
        elif error:
            self._chunk(request, CHUNK_ERROR, struct.pack(">IH", error, 0))
        elif request.op == "read":
            self._chunk(request, CHUNK_DATA, struct.pack(">Q", request.offset) + data)
        else:
            self._chunk(request, CHUNK_STATUS, struct.pack(">I", 1) + b"".join(struct.pack(">II", *extent) for extent in extents))

    def _chunk(self, request, kind, data):
        self._send(struct.pack(">IHHQI", STRUCTURED_REPLY, DONE, kind, request.handle, len(data)) + data)


class Guest:
    """One connection to an export of the daemon. `done(number, error, data)` is called once for each request."""

    def __init__(self, socket, name, done):
        self.socket, self.name, self.done = socket, name, done
        self.buffer = bytearray()
        self.asked = {}  # {number: (operation, bytes)}
        self.is_open = False
        self.size = None
        self.parse = self._greeting

    def received(self, data):
        self.buffer += data
        while self.parse():
            pass

    _take = Export._take

    def _greeting(self):
        greeting = self._take(18)
        if greeting is None:
            return False
        if greeting[:16] != MAGIC + OPTION_MAGIC:
            raise Broken("no greeting of an export")
        name = self.name.encode()
        go = struct.pack(">I", len(name)) + name + struct.pack(">H", 0)
        self.socket.send_all(struct.pack(">I", 3) + OPTION_MAGIC + struct.pack(">II", OPT_GO, len(go)) + go)
        self.parse = self._option_reply
        return True

    def _option_reply(self):
        if len(self.buffer) < 20:
            return False
        magic, _, kind, length = struct.unpack(">QIII", self.buffer[:20])
        if len(self.buffer) < 20 + length:
            return False
        data = self._take(20 + length)[20:]
        if magic != OPTION_REPLY or kind not in (REP_ACK, REP_INFO):
            raise Broken(f"there is no export {self.name}")
        if kind == REP_INFO and data[:2] == b"\0\0":
            (self.size,) = struct.unpack(">Q", data[2:10])
        if kind == REP_ACK:
            self.is_open = True
            self.parse = self._simple_reply
        return True

    def ask(self, number, op, offset=0, length=0, data=b""):
        self.asked[number] = (op, length)
        self.socket.send_all(struct.pack(">IHHQQI", REQUEST, 0, NUMBERS[op], number, offset, length) + data)

    def _simple_reply(self):
        if len(self.buffer) < 16:
            return False
        magic, error, number = struct.unpack(">IIQ", self.buffer[:16])
        if magic != SIMPLE_REPLY or number not in self.asked:
            raise Broken("a reply to no request")
        op, length = self.asked[number]
        follows = length if op == "read" and not error else 0
        if len(self.buffer) < 16 + follows:
            return False
        self._take(16)
        data = self._take(follows)
        del self.asked[number]
        self.done(number, error, data)
        return True
