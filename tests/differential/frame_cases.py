"""Random streams of frames: mostly in order, some with a fault, some with bytes changed afterwards."""

import struct

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GOOD_TEXT = ["a", "plain text", "\u00e4", "\u20ac", "\ud7ff", "\U0001f600", "\U0010ffff", "\0", "\n", "{}"]
BAD_TEXT = [b"\x80", b"\xc0\xaf", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff",
            b"\xf0\x9f\x98", b"\xf0\x80\x80\x80"]
LIMITS = [0, 1, 10, 125, 126, 1000, 65535, 65536, 1 << 20]
CLOSE_CODES = [1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015,
               0, 999, 1016, 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535]


def mask(data, key):
    """RFC 6455 5.3."""
    size = len(data)
    long_key = int.from_bytes((key * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(data, "big") ^ long_key).to_bytes(size, "big")


class Stream:
    """Draws one. `is_masked`: as a client sends it."""

    def __init__(self, random, is_masked):
        self.random = random
        self.is_masked = is_masked

    def frame(self, opcode, data, fin=True, flags=0, form=None, is_masked=None, length=None):
        """`form`: 7, 16 or 64 bits of length instead of the shortest; `length`: another one than the data's."""
        is_masked = self.is_masked if is_masked is None else is_masked
        length = len(data) if length is None else length
        if form is None:
            form = 7 if length < 126 else 16 if length < 65536 else 64
        bit = 0x80 if is_masked else 0
        first = (0x80 if fin else 0) | flags | opcode
        if form == 7:
            head = struct.pack("!BB", first, bit | length)
        elif form == 16:
            head = struct.pack("!BBH", first, bit | 126, length)
        else:
            head = struct.pack("!BBQ", first, bit | 127, length)
        if not is_masked:
            return head + data
        key = self.random.randbytes(4)
        return head + key + mask(data, key)

    def size(self):
        kind = self.random.randrange(100)
        if kind < 50:
            return self.random.randrange(12)
        if kind < 80:
            return self.random.randrange(130)
        if kind < 99:
            return self.random.randrange(120, 1100)
        return self.random.choice([65535, 65536, 70000])

    def text(self, size):
        data = b""
        while len(data) < size:
            piece = self.random.choice(GOOD_TEXT).encode()
            data += piece * (1 if size < 1000 else self.random.randrange(1, 2000))
        return data

    def payload(self, opcode):
        if opcode == TEXT:
            return self.text(self.size())
        return self.random.randbytes(self.size())

    def control(self):
        opcode = self.random.choice([PING, PONG])
        return self.frame(opcode, self.random.randbytes(self.random.choice([0, 1, 4, 20, 124, 125])))

    def message(self):
        opcode = self.random.choice([TEXT, BINARY])
        data = self.payload(opcode)
        if self.random.random() < 0.6:
            return self.frame(opcode, data)
        cuts = sorted(self.random.randrange(len(data) + 1) for _ in range(self.random.randrange(4)))
        frames = b""
        edges = [0, *cuts, len(data)]
        for i, (start, end) in enumerate(zip(edges, edges[1:])):
            frames += self.frame(opcode if i == 0 else CONT, data[start:end], fin=end == len(data) and
                                 i == len(edges) - 2)
            if i < len(edges) - 2 and self.random.random() < 0.3:
                frames += self.control()
        return frames

    def close(self):
        code = self.random.choice(CLOSE_CODES if self.random.random() < 0.4 else CLOSE_CODES[:4])
        reason = self.text(self.random.randrange(60))[:self.random.choice([0, 10, 123])]
        if self.random.random() < 0.1:
            reason += self.random.choice(BAD_TEXT)
        kind = self.random.randrange(10)
        data = b"" if kind == 0 else b"\x03" if kind == 1 else struct.pack("!H", code) + reason[:123]
        return self.frame(CLOSE, data)

    def fault(self):
        """A frame, or two, that nobody may send."""
        random = self.random
        data = random.randbytes(random.randrange(20))
        kind = random.randrange(13)
        if kind == 0:
            return self.frame(random.choice([TEXT, CONT, PING, CLOSE]), data, flags=random.choice([16, 32, 64, 112]))
        if kind == 1:
            return self.frame(random.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), data)
        if kind == 2:
            return self.frame(random.choice([BINARY, PING]), data, is_masked=not self.is_masked)
        if kind == 3:
            return self.frame(random.choice([PING, PONG, CLOSE]), data, fin=False)
        if kind == 4:
            return self.frame(random.choice([PING, PONG, CLOSE]), random.randbytes(random.choice([126, 200])))
        if kind == 5:
            return self.frame(random.choice([BINARY, PING]), data, form=random.choice([16, 64]))
        if kind == 6:
            return self.frame(BINARY, data, form=64, length=random.choice([1 << 63, (1 << 64) - 1, 1 << 40]))
        if kind == 7:
            return self.frame(CONT, data)
        if kind == 8:
            return self.frame(BINARY, data, fin=False) + self.frame(random.choice([TEXT, BINARY]), b"x")
        if kind == 9:
            return self.frame(BINARY, data, fin=False) + self.frame(CLOSE, random.choice([b"", b"\x03\xe8"]))
        if kind == 10:  # a character that two frames share, and never ends
            return self.frame(TEXT, b"ab\xe2", fin=False) + self.frame(CONT, random.choice([b"\x82\xac", b"\x82", b"x"]))
        text = self.text(random.randrange(100)) + random.choice(BAD_TEXT) + self.text(random.randrange(5))
        return self.frame(TEXT, text, fin=kind == 11)

    def changed(self, stream):
        """One to three accidents of bytes."""
        random = self.random
        for _ in range(random.randrange(1, 4)):
            if not stream:
                break
            at = random.randrange(min(len(stream), random.choice([8, 1 << 20])))
            kind = random.randrange(5)
            if kind == 0:
                stream = stream[:at] + bytes([stream[at] ^ 1 << random.randrange(8)]) + stream[at + 1:]
            elif kind == 1:
                stream = stream[:at] + random.randbytes(1) + stream[at + 1:]
            elif kind == 2:
                stream = stream[:at] + stream[at + random.randrange(1, 4):]
            elif kind == 3:
                stream = stream[:at] + random.randbytes(random.randrange(1, 4)) + stream[at:]
            else:
                stream = stream[:at]
        return stream

    def whole(self):
        stream = b""
        for _ in range(self.random.randrange(1, 7)):
            kind = self.random.randrange(20)
            stream += self.control() if kind < 5 else self.close() if kind == 5 else \
                self.fault() if kind == 6 else self.message()
        return self.changed(stream) if self.random.random() < 0.25 else stream


def draw_cuts(random, size, most=12):
    return sorted(random.randrange(size + 1) for _ in range(random.choice([0, 1, 3, most])))
