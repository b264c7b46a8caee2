# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk in memory: its bytes, and of each sector whether it is data, explicit zeroes, or a hole. Sectors hold what our
dumped images hold (sim/content/content.h), so that contents can be compared byte by byte."""

import errno
import struct
from functools import lru_cache

from peer_nbd import NO_HOLE, ONE_EXTENT, STATUS_HOLE, STATUS_ZERO

SECTOR = 512
HOLE, DATA, ZERO = 0, 1, 2
WORDS = (1 << 64) - 1
FLAGS = {HOLE: STATUS_HOLE | STATUS_ZERO, DATA: 0, ZERO: STATUS_ZERO}


@lru_cache(maxsize=1 << 15)
def sector_of(tag):
    words = [tag]
    for number in range(1, 64):
        word = ((tag ^ (number * 0x9E3779B97F4A7C15 & WORDS)) * 0xD6E8FEB86659FD93) & WORDS
        words.append(word ^ word >> 32)
    return struct.pack("<64Q", *words)


def fill_bytes(disk_number, offset, length):
    first = offset // SECTOR
    return b"".join(sector_of(1 << 60 | disk_number << 52 | sector) for sector in range(first, first + length // SECTOR))


def guest_bytes(request, length):
    return b"".join(sector_of(2 << 60 | request << 32 | sector) for sector in range(length // SECTOR))


class MemoryDisk:
    def __init__(self, size, unmaps=True):
        self.size, self.unmaps = size, unmaps
        self.bytes = bytearray(size)
        self.state = bytearray(-(-size // SECTOR))

    def _mark(self, offset, length, state):
        first, end = offset // SECTOR, -(-(offset + length) // SECTOR)
        self.state[first:end] = bytes([state]) * (end - first)

    def put(self, offset, data, state=DATA):
        self.bytes[offset:offset + len(data)] = data
        self._mark(offset, len(data), state)

    def zero(self, offset, length, state):
        self.put(offset, bytes(length), state)

    def put_torn(self, offset, data, applied):
        """What a write that fails leaves behind: `all`, every other sector with `torn`, or so many bytes."""
        if applied == "torn":
            for start in range(0, len(data), 2 * SECTOR):
                self.put(offset + start, data[start:start + SECTOR])
        else:
            self.put(offset, data if applied == "all" else data[:applied])

    def do(self, request):
        """Has the request's effect; returns what it reads, or the extents that it asks for."""
        offset, length = request.offset, request.bytes
        if request.op == "write":
            self.put(offset, request.data)
        elif request.op == "write-zeroes":
            self.zero(offset, length, ZERO if request.flags & NO_HOLE or not self.unmaps else HOLE)
        elif request.op == "discard":
            self.zero(offset, length, HOLE)
        elif request.op == "read":
            return bytes(self.bytes[offset:offset + length])
        elif request.op == "block-status":
            return self.extents(offset, length, bool(request.flags & ONE_EXTENT))
        return b""

    def extents(self, offset, length, only_one):
        found = []
        end = min(offset + length, self.size)
        while offset < end and not (only_one and found):
            state = self.state[offset // SECTOR]
            rest = self.state[offset // SECTOR:-(-end // SECTOR)]
            sectors = len(rest) - len(rest.lstrip(bytes([state])))
            stop = min(end, (offset // SECTOR + sectors) * SECTOR)
            found.append((stop - offset, FLAGS[state]))
            offset = stop
        return found


def error_name(number):
    return errno.errorcode.get(number, str(number)) if number else "ok"
