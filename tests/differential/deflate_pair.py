"""permessage-deflate: what we compress and inflate against Python's zlib.

Three kinds of cases: messages that we compress and Python inflates, with no more than the window that
was agreed on; messages that Python compresses in every way that zlib knows and we inflate, as frames
cut anyhow; and the same with the last message broken. Python's verdict on a broken one follows RFC 7692
7.2.2 (the message, then 00 00 ff ff, must end with a block). What may differ, and nothing else:

  - A stream that ends with BFINAL at the end of the message needs no further block: we accept it,
    and so does the model here (RFC 7692 7.2.3.4 lets a sender end blocks that way).
  - Whoever refers back beyond the window it agreed to is refused or understood, depending on how the
    message was cut (message_reader.h says so). zlib has the same freedom. So with a window below 2^15 a
    broken message may be what the strictest reading says (byte by byte, so that nothing but the window is
    within reach) or the most generous one (a window of 2^15, but only the history that is kept). Where
    the strictest reading refuses, so may whoever loads the state of a reader that understood the
    beginning.
  - A message that is broken right behind the limit of messages is too big for us.
"""

import zlib

from frame_cases import BINARY, CONT, TEXT, Stream, draw_cuts
from frame_pair import read_events, shown
from records import Fields, blob, u8, u32

RSV1 = 0x40
TAIL = b"\x00\x00\xff\xff"
STRATEGIES = [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]
FLUSHES = [zlib.Z_NO_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_BLOCK]
OUTCOMES = ["compressed by us", "inflated by us", "ended with BFINAL", "broken: refused by both",
            "broken: understood by both", "broken: too big", "broken: beyond the window"]
# Behind a block's end this gives exactly the text; inside a block, or between two bytes, it does not.
PROBE_TEXT = b"behind a block's end"
PROBE = b"\x01" + len(PROBE_TEXT).to_bytes(2, "little") + (65535 - len(PROBE_TEXT)).to_bytes(2, "little") + PROBE_TEXT


def draw_message(random, earlier):
    """Text like earlier text, noise, or the same again and again."""
    kind = random.randrange(10)
    size = random.choice([0, 1, 5, 30, 200, 600, 3000]) if random.random() < 0.97 else random.randrange(80_000)
    if kind == 0:
        return random.randbytes(min(size, 3000))
    if kind == 1:
        return bytes([random.randrange(256)]) * size
    words = [b"alpha ", b"beta ", "\u4f60\u597d".encode(), b'{"msg_type":"message"}', random.randbytes(6).hex().encode()]
    if earlier:
        last = random.choice(earlier)
        at = random.randrange(len(last) + 1)
        words.append(last[at:at + 300].decode(errors="ignore").encode())
    data = b""
    while len(data) < size:
        data += random.choice(words) or b"x"
    return data


def draw_messages(random, most=5):
    messages = []
    for _ in range(random.randrange(1, most + 1)):
        messages.append(draw_message(random, messages))
    return messages


class CompressorCase:
    """We compress, Python inflates."""

    def __init__(self, random):
        self.bits = random.randrange(8, 16)
        self.takeover = random.random() < 0.6
        self.messages = draw_messages(random)
        self.record = b"c" + u8(self.bits) + u8(self.takeover) + u8(random.randrange(1, 10)) + \
            b"".join(map(blob, self.messages))

    def expect(self):
        return None

    def judge(self, _, answer, seen):
        fields = Fields(answer)
        stream = None
        for message in self.messages:
            if stream is None or not self.takeover:
                stream = zlib.decompressobj(-self.bits)
            payload = fields.blob()
            try:
                # In small pieces: what is beyond the window is then out of reach.
                data = payload + TAIL
                text = b"".join(stream.decompress(data[i:i + 16]) for i in range(0, len(data), 16))
            except zlib.error as error:
                return f"window {self.bits}: {error} in {payload[:100].hex()}"
            if text != message or stream.eof or stream.unused_data:
                return f"window {self.bits}: {text[:100]!r}, not {message[:100]!r}"
        seen["compressed by us"] += len(self.messages)
        return None if fields.is_at_end() else "more payloads than messages"


class Sender:
    """A peer that compresses with Python's zlib, with flushes wherever it likes."""

    def __init__(self, random):
        self.random = random
        self.bits = random.randrange(8, 16)
        self.takeover = random.random() < 0.6
        self.compressor = None
        self.has_final = False
        self.cheats = False  # uses a larger window than agreed
        self.sent = b""

    def renew(self):
        # zlib has no raw window of 2^8; of 2^9 it refers back 250 bytes at most, which 2^8 holds. After
        # BFINAL it begins again, and may know what was sent.
        bits = 15 if self.cheats else self.bits
        known = self.sent[-(1 << bits):] if self.takeover and self.random.random() < 0.5 else b""
        arguments = {"zdict": known} if known else {}
        self.compressor = zlib.compressobj(self.random.choice([0, 1, 6, 9]), zlib.DEFLATED, -max(9, bits),
                                           self.random.randrange(1, 10), self.random.choice(STRATEGIES), **arguments)

    def compress(self, message):
        if self.compressor is None or not self.takeover:
            self.renew()
        data, at = b"", 0
        for cut in draw_cuts(self.random, len(message), 4):
            data += self.compressor.compress(message[at:cut]) + self.compressor.flush(self.random.choice(FLUSHES))
            at = cut
        data += self.compressor.compress(message[at:])
        self.sent += message
        return data + self.end()

    def end(self):
        if self.random.random() < 0.15:
            data = self.compressor.flush(zlib.Z_FINISH)
            self.compressor = None
            self.has_final = True
            return data + self.random.choice([b"", b"\0"])  # as RFC 7692 7.2.3.4 shows, and as some do
        data = self.compressor.flush(self.random.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
        if not data.endswith(TAIL):  # nothing new: zlib does not flush twice
            return data + b"\0"
        return data[:-4] or b"\0"


class ReaderCase:
    """Python compresses, we inflate; perhaps the last message is broken."""

    def __init__(self, random):
        sender = Sender(random)
        self.bits, self.takeover = sender.bits, sender.takeover
        self.messages = draw_messages(random, 4)
        self.is_broken = random.random() < 0.5
        payloads = [sender.compress(message) for message in self.messages[:-1]]
        if self.is_broken and random.random() < 0.2:
            sender.compressor, sender.cheats = None, True
        payloads.append(sender.compress(self.messages[-1]))
        self.has_final = sender.has_final
        if self.is_broken and not sender.cheats:
            payloads[-1] = Stream(random, True).changed(payloads[-1])
        self.broken = payloads[-1]
        self.limit = random.choice([1 << 20, max(map(len, self.messages))])
        self.opcodes = [BINARY if self.is_broken and i == len(payloads) - 1 else random.choice([TEXT, BINARY])
                        for i in range(len(payloads))]
        self.opcodes = [opcode if is_text(message) else BINARY for opcode, message in zip(self.opcodes, self.messages)]
        stream = b"".join(map(lambda opcode, payload: frames_of(random, opcode, payload), self.opcodes, payloads))
        cuts = draw_cuts(random, len(stream))
        self.record = b"r" + u8(0) + u32(self.limit) + u8(self.bits) + u8(self.takeover) + u8(random.random() < 0.3) + \
            blob(stream) + u32(len(cuts)) + b"".join(map(u32, cuts))

    def expect(self):
        return [("text" if opcode == TEXT else "binary", 0, message)
                for opcode, message in zip(self.opcodes, self.messages)]

    def judge(self, expected, answer, seen):
        ours, label = read_events(answer)
        if self.is_broken:
            last = ours.pop() if len(ours) == len(expected) else None
            if ours == expected[:-1] and last and self.judge_broken(last, label, seen):
                return None
            return f"window {self.bits}, broken: {shown(ours)}, then {last and shown([last])} {label} for " \
                f"{self.broken[:200].hex()} of {len(self.broken)}"
        if ours != expected:
            return f"window {self.bits}: {shown(ours)} {label}, not {shown(expected)}"
        seen["inflated by us"] += len(expected)
        seen["ended with BFINAL"] += self.has_final
        return None

    def history(self):
        return b"".join(self.messages[:-1])[-(1 << self.bits):] if self.takeover else b""

    def judge_broken(self, last, label, seen):
        theirs = inflate(self.broken, self.history(), self.bits)
        if label == "not_loaded":
            seen["broken: beyond the window"] += 1
            return self.bits < 15 and inflate(self.broken, self.history(), self.bits, 1) is None
        if label == "message_too_big":
            seen["broken: too big"] += 1
            return exceeds(self.broken, self.history(), self.limit)
        ours = None if last[0] == "error" and label == "bad_deflate" else last[2]
        if ours == theirs:
            seen["broken: refused by both" if ours is None else "broken: understood by both"] += 1
            return True
        if self.bits == 15:
            return False
        seen["broken: beyond the window"] += 1
        return ours in (inflate(self.broken, self.history(), self.bits, 1), inflate(self.broken, self.history(), 15))


def is_text(message):
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True


def frames_of(random, opcode, payload):
    """A message in one frame or several; only the first says that it is compressed (RFC 7692 6)."""
    stream = Stream(random, True)
    edges = [0, *draw_cuts(random, len(payload), 5), len(payload)]
    frames = b""
    for i, (start, end) in enumerate(zip(edges, edges[1:])):
        frames += stream.frame(CONT if i else opcode, payload[start:end], fin=i == len(edges) - 2,
                               flags=0 if i else RSV1)
    return frames


class Blocks:
    """Streams of DEFLATE one after the other: what follows BFINAL begins at the next byte."""

    def __init__(self, history, bits, step):
        self.text = history
        self.known = len(history)
        self.bits = bits
        self.step = step
        self.begin()

    def begin(self):
        self.stream = zlib.decompressobj(-self.bits, zdict=self.text[-(1 << self.bits):])
        self.is_fresh = True

    def feed(self, data):
        """Raises zlib.error."""
        while data:
            piece, data = (data[:self.step], data[self.step:]) if self.step else (data, b"")
            while piece:
                self.text += self.stream.decompress(piece)
                self.is_fresh = False
                piece = self.stream.unused_data
                if self.stream.eof:
                    self.begin()

    def taken(self):
        return self.text[self.known:]


def inflate(payload, history, bits, step=None):
    """What a message becomes, or None if it is none. `step`: bytes at a time, all at once if left out."""
    blocks = Blocks(history, bits, step)
    try:
        blocks.feed(payload)
        if payload and blocks.is_fresh:
            return blocks.taken()
        blocks.feed(TAIL)
        text = blocks.taken()
        blocks.feed(PROBE)
    except zlib.error:
        return None
    return text if blocks.taken() == text + PROBE_TEXT and blocks.is_fresh else None


def exceeds(payload, history, limit):
    """Whether a message fills the limit and does not end there. What zlib meets then, one more byte or
    a fault, it does not tell apart."""
    text, data = history, payload + TAIL
    stream = zlib.decompressobj(-15, zdict=text)
    while True:
        left = limit - (len(text) - len(history))
        try:
            part = stream.decompress(data, left or 1)
        except zlib.error:
            return left == 0
        if len(part) > left:
            return True
        text += part
        data = stream.unused_data if stream.eof else stream.unconsumed_tail
        if not part and not data:
            return False
        if stream.eof:
            stream = zlib.decompressobj(-15, zdict=text[-(1 << 15):])


def Case(random):
    return CompressorCase(random) if random.random() < 0.3 else ReaderCase(random)
