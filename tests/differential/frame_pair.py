"""Frames: MessageReader, and what writes them, against the package websockets.

The judge is websockets' Protocol, which reports frames, and Python's UTF-8 decoder for text, which
Protocol leaves to its callers. What may differ, and nothing else:

  - We refuse as soon as a fault is certain, the judge when the frame is complete. So where only we
    refuse, the judge is given the rest of the frame, whatever it says, and must refuse then.
  - A frame with several faults is refused for any of them: both codes must belong to faults that the
    frame has, by the plain list in `faults_of`.
  - A length that is not in its shortest form (RFC 6455 5.2 forbids it): only we refuse, or we call a
    control frame too long by the form of its length. Everything before that frame must be the same.
  - Python's decoder keeps the first two bytes of a surrogate until a third comes. Here it does not.
  - A Close between the frames of a message: the judge refuses what RFC 6455 5.4 allows (control frames
    may stand there). It has read the Close, and code and reason must be the same.
  - A ping, pong or Close that is longer than what is left for a message under way: the judge counts it
    against the limit of messages (RFC 6455 sees it as a frame of its own). Everything before must be the
    same.
  - The number of frames of a message, which only we limit, stays below the limit.
"""

import codecs
import logging

from frame_cases import BINARY, CLOSE, CONT, LIMITS, PING, PONG, TEXT, Stream, draw_cuts
from records import Fields, blob, u8, u16, u32
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol

KINDS = {1: "text", 2: "binary", 3: "ping", 4: "pong", 5: "close", 6: "error"}
OUTCOMES = ["streams without a fault", "streams that end with a Close", "refused by both: 1002",
            "refused by both: 1007", "refused by both: 1009", "refused before the frame is complete",
            "one of several faults", "length not minimal", "a Close between fragments",
            "a control frame beyond the message's limit", "frames written"]
QUIET = logging.getLogger("quiet")
QUIET.disabled = True


class Header:
    """The header at `at`, read plainly; fields are None where the stream ends."""

    def __init__(self, stream, at):
        self.first, self.second = (*stream[at:at + 2], None, None)[:2]
        self.length = self.body = None
        if self.second is None:
            return
        self.form = self.second & 0x7f
        size = {126: 2, 127: 8}.get(self.form, 0)
        self.body = at + 2 + size + (4 if self.second & 0x80 else 0)
        if at + 2 + size <= len(stream):
            self.length = int.from_bytes(stream[at + 2:at + 2 + size], "big") if size else self.form

    def opcode(self):
        return self.first & 15

    def is_control(self):
        return self.opcode() >= 8

    def is_minimal(self):
        if self.length is None:  # of a control frame no such length can be right, whatever it will be
            return not (self.is_control() and self.second is not None and self.form > 125)
        return self.length >= {126: 126, 127: 65536}.get(self.form, 0)


class Reading:
    """What the judge makes of a stream. `events` as ours; `at` is where the frame that it refused begins."""

    def __init__(self, stream, is_server, limit):
        self.stream = stream
        self.is_server = is_server
        self.limit = limit
        self.events = []
        self.notes = set()
        self.code = None  # with which it refuses
        self.at = 0
        self.opcode = None  # of the message under way
        self.parts = []
        self.decoder = None
        protocol = Protocol(SERVER if is_server else CLIENT, max_size=limit, logger=QUIET)
        protocol.receive_data(stream)
        for frame in protocol.events_received():
            if not self.take(frame):
                return
            self.at = self.end_of(self.at)
        self.take_failure(protocol)

    def end_of(self, at):
        header = Header(self.stream, at)
        return header.body + header.length

    def received(self):
        return sum(map(len, self.parts))

    def take(self, frame):
        data = bytes(frame.data)
        if frame.opcode in (PING, PONG):
            self.events.append(("ping" if frame.opcode == PING else "pong", 0, data))
        elif frame.opcode == CLOSE:
            close = Close.parse(data)
            self.events.append(("close", int(close.code), close.reason.encode()))
        else:
            return self.take_data(frame, data)
        return True

    def take_data(self, frame, data):
        opcode = frame.opcode if self.opcode is None else self.opcode
        if self.opcode is None:
            self.decoder = codecs.getincrementaldecoder("utf-8")()
        if opcode == TEXT and not decode(self.decoder, data, frame.fin):
            self.code = 1007
            return False
        self.opcode = opcode
        self.parts.append(data)
        if frame.fin:
            self.events.append(("text" if opcode == TEXT else "binary", 0, b"".join(self.parts)))
            self.opcode, self.parts = None, []
        return True

    def take_failure(self, protocol):
        failure = protocol.parser_exc
        if failure is None:
            return
        if isinstance(failure, ProtocolError) and protocol.close_rcvd is not None:
            close = protocol.close_rcvd
            self.events.append(("close", int(close.code), close.reason.encode()))
            self.notes.add("a Close between fragments")
            return
        self.code = {UnicodeDecodeError: 1007, PayloadTooBig: 1009}.get(type(failure), 1002)
        if not isinstance(failure, (UnicodeDecodeError, PayloadTooBig, ProtocolError)):
            raise failure
        header = Header(self.stream, self.at)
        if self.code == 1009 and header.is_control() and header.length <= 125:
            self.notes.add("a control frame beyond the message's limit")

    def faults(self):
        """The codes that the faults of the frame at `at` may be answered with."""
        header = Header(self.stream, self.at)
        codes = set()
        if header.second is None:
            return codes
        opcode = header.opcode()
        left = self.limit - self.received()
        if header.first & 0x70 or opcode not in (CONT, TEXT, BINARY, CLOSE, PING, PONG):
            codes.add(1002)
        if bool(header.second & 0x80) != self.is_server or not header.is_minimal():
            codes.add(1002)
        if header.is_control() and (not header.first & 0x80 or header.form > 125):
            codes.add(1002)
        if opcode == CONT and self.opcode is None or opcode in (TEXT, BINARY) and self.opcode is not None:
            codes.add(1002)
        if header.length is not None and header.length >= 1 << 63:
            codes.add(1002)
        if header.length is not None and header.length > left:
            codes.add(1009)
        return codes | self.faults_of_payload(header)

    def faults_of_payload(self, header):
        payload = self.stream[header.body:header.body + (header.length or 0)]
        if header.second & 0x80:
            key = self.stream[header.body - 4:header.body]
            payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
        codes = set()
        if header.opcode() == CLOSE and header.length == len(payload):
            if len(payload) == 1 or len(payload) > 1 and not may_be_sent(payload):
                codes.add(1002)
            if not is_utf8(payload[2:], True):
                codes.add(1007)
        is_text = header.opcode() == TEXT or header.opcode() == CONT and self.opcode == TEXT
        if is_text:
            whole = payload if header.opcode() == TEXT else b"".join(self.parts) + payload
            if not is_utf8(whole, len(payload) == header.length and header.first & 0x80 != 0):
                codes.add(1007)
        return codes


def may_be_sent(payload):
    try:
        Close(int.from_bytes(payload[:2], "big"), "").check()
    except ProtocolError:
        return False
    return True


def decode(decoder, data, is_whole):
    """False if nothing can make it UTF-8 any more."""
    try:
        decoder.decode(data, is_whole)
    except UnicodeDecodeError:
        return False
    begun = decoder.getstate()[0]
    return not (begun[:1] == b"\xed" and begun[1:] >= b"\xa0")


def is_utf8(data, is_whole):
    return decode(codecs.getincrementaldecoder("utf-8")(), data, is_whole)


def read_events(answer):
    fields = Fields(answer)
    events, label = [], ""
    while (entry := fields.u8()) != 0:
        if entry == 2:
            events.append(("error", 0, b""))
            label = "not_loaded"
            continue
        kind, code = KINDS[fields.u8()], fields.u16()
        label, payload = fields.blob().decode(), fields.blob()
        events.append((kind, code, payload))
    return events, label


def shown(events):
    return "; ".join(f"{kind} {code or ''} {payload[:40]!r} of {len(payload)}" for kind, code, payload in events)


class ReaderCase:
    def __init__(self, random):
        self.is_server = random.random() < 0.75
        self.limit = random.choice(LIMITS) if random.random() < 0.5 else 1 << 20
        self.stream = Stream(random, self.is_server).whole()
        cuts = draw_cuts(random, len(self.stream))
        self.record = b"r" + u8(0 if self.is_server else 1) + u32(self.limit) + u8(0) + u8(0) + \
            u8(random.random() < 0.3) + blob(self.stream) + u32(len(cuts)) + b"".join(map(u32, cuts))

    def expect(self):
        return Reading(self.stream, self.is_server, self.limit)

    def judge(self, theirs, answer, seen):
        ours, label = read_events(answer)
        code = ours.pop()[1] if ours and ours[-1][0] == "error" else None
        outcomes = self.compare(ours, code, theirs)
        if outcomes is None and label in ("length_not_minimal", "control_too_long"):
            outcomes = self.compare_before_long_form(ours)
        if outcomes is None:
            return (f"limit {self.limit}, stream {self.stream[:200].hex()} of {len(self.stream)}\n"
                    f"  ours:   {shown(ours)} {label}\n  theirs: {shown(theirs.events)} {theirs.code}")
        seen.update(outcomes)
        return None

    def compare(self, ours, code, theirs):
        """What happened on both sides; None if it differs."""
        outcomes = set(theirs.notes)
        if "a control frame beyond the message's limit" in outcomes:
            return outcomes if ours[:len(theirs.events)] == theirs.events else None
        if code is not None and theirs.code is None:
            theirs = self.completed(theirs)
            outcomes.add("refused before the frame is complete")
        if ours != theirs.events:
            return None
        if code == theirs.code:
            is_closed = bool(ours) and ours[-1][0] == "close"
            return outcomes | {f"refused by both: {code}" if code is not None else
                               "streams that end with a Close" if is_closed else "streams without a fault"}
        if code is None or theirs.code is None or not {code, theirs.code} <= theirs.faults():
            return None
        return outcomes | {"one of several faults"}

    def completed(self, theirs):
        """The judge's reading with the rest of the frame that it waits for."""
        stream = self.stream
        for _ in range(3):  # the start, the length, the payload
            header = Header(stream, theirs.at)
            if header.second is None:
                stream += b"\0"
            elif header.length is None:
                stream += b"\1" * (header.body - len(stream))  # a length in its shortest form
            elif header.length <= self.limit or header.is_control():
                stream += bytes(max(0, header.body + min(header.length, 1 << 20) - len(stream)))
        return Reading(stream, self.is_server, self.limit)

    def compare_before_long_form(self, ours):
        """The frame that we refuse is the first whose length is not in its shortest form."""
        at = 0
        while at + 1 < len(self.stream) and Header(self.stream, at).is_minimal():
            header = Header(self.stream, at)
            at = len(self.stream) if header.length is None else header.body + header.length
        if at + 1 >= len(self.stream):
            return None
        before = Reading(self.stream[:at], self.is_server, self.limit)
        if "a control frame beyond the message's limit" not in before.notes and before.code is None:
            return {"length not minimal"} if before.events == ours else None
        is_beyond = before.notes and before.events == ours[:len(before.events)]
        return set(before.notes) if is_beyond else None


class WriterCase:
    """What we write is what the judge would have written, or if it is masked, what it reads."""

    def __init__(self, random):
        self.is_server = random.random() < 0.6
        self.frames = []
        stream = Stream(random, not self.is_server)
        self.record = b"w"
        for _ in range(random.randrange(1, 6)):
            opcode = random.choice([TEXT, BINARY, PING, PONG])
            data = random.randbytes(random.randrange(126)) if opcode > 7 else stream.payload(opcode)
            fin = opcode > 7 or random.random() < 0.7
            self.add(random, opcode, data, fin)
            if not fin:
                self.add(random, CONT, stream.payload(BINARY) if opcode == BINARY else b"", True)
        if self.is_server and random.random() < 0.5:
            self.add_close(random, stream)

    def add(self, random, opcode, data, fin):
        self.frames.append(Frame(Opcode(opcode), data, fin))
        self.record += u8(0 if self.is_server else 1) + u8(opcode) + u8(fin) + random.randbytes(4) + blob(data)

    def add_close(self, random, stream):
        code = random.choice([1000, 1001, 1002, 1005, 1007, 1011, 3000, 4999])
        reason = stream.text(random.randrange(200))
        # Cut before the character that crosses the limit.
        kept = reason if len(reason) <= 123 else reason[:123].decode(errors="ignore").encode()
        data = b"" if code == 1005 else u16(code)[::-1] + kept
        self.frames.append(Frame(Opcode.CLOSE, data))
        self.record += u8(2) + u16(code) + blob(reason)

    def expect(self):
        return b"".join(frame.serialize(mask=False) for frame in self.frames) if self.is_server else None

    def judge(self, theirs, answer, seen):
        seen["frames written"] += len(self.frames)
        if theirs is not None:
            return None if answer == theirs else f"written {answer[:200].hex()}, expected {theirs[:200].hex()}"
        protocol = Protocol(SERVER, max_size=None, logger=QUIET)
        protocol.receive_data(answer)
        read = [(f.opcode, bytes(f.data), f.fin) for f in protocol.events_received()]
        wrote = [(f.opcode, f.data, f.fin) for f in self.frames]
        return None if read == wrote and not protocol.reader.buffer else f"written {answer[:200].hex()}"


def Case(random):
    return WriterCase(random) if random.random() < 0.15 else ReaderCase(random)
