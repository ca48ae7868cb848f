"""JSON: our scan, the dialects upon it, and what we write, against Python's json.

What is expected of the dialects is worked out here from Python's reading of the text. Python is told to
be as strict as RFC 8259: no NaN or Infinity. What we mean to do otherwise, and nothing else:

  - Nesting deeper than 512 is refused.
  - A member that a reader looks for must not stand twice in the outermost object (Python takes the last).
  - A lone surrogate escape is accepted, as by Python; as text it becomes U+FFFD, or the text is refused.
  - A number is an id if it is an integer of 64 bits. Python's Decimal and integers say whether; numbers
    are compared by how they are spelled, so none is too big.
  - Bytes that are not UTF-8 never reach the JSON reader; Python's decoder must agree that they are not.
  - Where a text is broken and also too deep or has a member twice, a robot's reply may be refused as
    either: as text (broken) or at all. Dialects refuse both as bad_json.
"""

import decimal
import json
import re
import sys

from json_cases import Text
from records import Fields, blob

sys.setrecursionlimit(20_000)
DEPTH_MAX = 512
WANTED = ["msg_type", "to_user", "toy_id", "from_user", "nickname"]
ABSENT, STRING, NUMBER, OTHER = range(4)
SURROGATE = re.compile("[\ud800-\udfff]")
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
OUTCOMES = ["accepted", "not JSON", "not UTF-8", "too deep", "a member twice", "lone surrogates",
            "chat: message", "chat: update_clients", "chat: ignored", "chat: missing_field", "chat: too_long",
            "chat: bad_json", "relay: accept_", "relay: send_", "relay: ack_", "relay: ignored",
            "relay: missing_field", "relay: bad_id", "relay: bad_json", "robot: object", "robot: text", "robot: none"]


class Number(str):
    """As it was spelled."""


class Object(list):
    """Pairs of name and value, in order."""


def refuse(constant):
    raise ValueError(constant)


DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=refuse, object_pairs_hook=Object)


def depth_of(text):
    """The deepest nesting of an accepted text."""
    depth = deepest = 0
    for match in STRING_OR_BRACKET.finditer(text):
        if match.group() in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match.group() in "]}":
            depth -= 1
    return deepest


class Document:
    """What Python makes of a text. `fault`: None, "not JSON" or "too deep"."""

    def __init__(self, text):
        self.fault = None
        self.members = []
        try:
            value = DECODER.decode(text)
        except ValueError:
            self.fault = "not JSON"
            return
        if text.count("[") + text.count("{") > DEPTH_MAX and depth_of(text) > DEPTH_MAX:
            self.fault = "too deep"
        self.is_object = isinstance(value, Object)
        self.members = value if self.is_object else []

    def of(self, names):
        """(fault, {name: value}) for somebody who looks for these."""
        if self.fault:
            return self.fault, {}
        found = [name for name, _ in self.members if name in names]
        if len(found) != len(set(found)):
            return "a member twice", {}
        return None, {name: value for name, value in self.members if name in names}


def kind_of(value):
    return NUMBER if isinstance(value, Number) else STRING if isinstance(value, str) else OTHER


def is_string(value):
    return isinstance(value, str) and not isinstance(value, Number)


def replaced(text):
    return SURROGATE.sub("\ufffd", text)


def integer_of(number):
    """The value of a number that is an integer of 64 bits, else None."""
    mantissa = number.lower().split("e")[0]
    if not mantissa.strip("-0."):
        return 0
    try:
        value = decimal.Decimal(number)
    except decimal.InvalidOperation:  # an exponent beyond what Decimal has
        return None
    if not 0 <= value.adjusted() <= 20:
        return None
    sign, digits, exponent = value.as_tuple()
    integer = int("".join(map(str, digits)))
    if exponent >= 0:
        integer *= 10 ** exponent
    elif integer % 10 ** -exponent:
        return None
    else:
        integer //= 10 ** -exponent
    integer = -integer if sign else integer
    return integer if -1 << 63 <= integer < 1 << 64 else None


def channel_of(value):
    """The name of a user's channel; None if the value is no id."""
    if isinstance(value, Number):
        integer = integer_of(value)
        return None if integer is None else b"\xffn" + str(integer).encode()
    if not is_string(value) or SURROGATE.search(value):
        return None
    data = value.encode()
    return b"\xffs" + data if 1 <= len(data) <= 256 else None


def is_nickname(value):
    return len(replaced(value)) <= 64


def chat_of(document):
    """(error,) or (kind, nickname)."""
    fault, members = document.of(["msg_type", "nickname"])
    if fault:
        return ("bad_json",)
    if "msg_type" not in members:
        return ("missing_field",)
    kind, nickname = members["msg_type"], members.get("nickname")
    if is_string(kind) and kind == "message":
        return "message", b""
    if not is_string(kind) or kind != "update_clients":
        return "ignored", b""
    if not is_string(nickname):
        return ("missing_field",)
    return ("update_clients", replaced(nickname).encode()) if is_nickname(nickname) else ("too_long",)


def relay_of(document):
    """(error,) or (kind, own channel, receiver's channel)."""
    fault, members = document.of(["msg_type", "to_user", "toy_id", "from_user"])
    if fault:
        return ("bad_json",)
    if "msg_type" not in members:
        return ("missing_field",)
    kind = members["msg_type"]
    if not is_string(kind) or kind not in ("accept_", "send_"):
        return "ack_" if is_string(kind) and kind == "ack_" else "ignored", b"", b""
    to = b""
    if kind == "send_":
        if "to_user" not in members:
            return ("missing_field",)
        to = channel_of(members["to_user"])
    says_who = "toy_id" in members or "from_user" in members
    own = channel_of(members.get("toy_id", members.get("from_user"))) if says_who else b""
    if own is None or to is None:
        return ("bad_id",)
    return (kind, own, to) if kind == "send_" or says_who else ("missing_field",)


def robot_of(data):
    """What a robot's reply may be taken for: nothing, or (nickname, message as it is read, is_raw)."""
    try:
        text = data.decode().strip(" \t\r\n")
    except UnicodeDecodeError:
        return {None}
    if not text:
        return {None}
    as_text = (b"", text.encode(), False)
    if not text.startswith("{"):
        return {as_text}
    document = Document(text)
    fault, members = document.of(["message", "nickname"])
    if fault == "not JSON":
        deep = text.count("[") + text.count("{") > DEPTH_MAX
        return {as_text, None} if deep or text.count("message") + text.count("nickname") + text.count("\\") > 1 \
            else {as_text}
    message, nickname = members.get("message"), members.get("nickname", "")
    if fault or not is_string(message) or not message or not is_string(nickname) or not is_nickname(nickname):
        return {None}
    return {(replaced(nickname).encode(), replaced(message).encode(), True)}


class Answer:
    """Ours, field by field."""

    def __init__(self, record):
        fields = Fields(record)
        self.is_utf8 = fields.u8() == 1
        if self.is_utf8:
            self.read_scan(fields)
            self.chat = self.read_command(fields, ["message", "update_clients", "ignored"], 1)
            self.relay = self.read_command(fields, ["accept_", "send_", "ack_", "ignored"], 2)
        self.robot = (fields.blob(), fields.blob(), fields.u8() == 1) if fields.u8() == 1 else None
        assert fields.is_at_end()

    def read_scan(self, fields):
        self.fault, self.members = None, {}
        if fields.u8() == 1:
            self.fault = ["not JSON", "too deep", "a member twice"][fields.u8()]
            return
        for name in WANTED:
            kind, raw = fields.u8(), fields.blob()
            texts = (fields.u8() == 1, fields.blob(), fields.u8() == 1, fields.blob(), fields.blob()) \
                if kind == STRING else ()
            if kind != ABSENT:
                self.members[name] = (kind, raw, *texts)

    @staticmethod
    def read_command(fields, kinds, count):
        if fields.u8() == 1:
            return (fields.blob().decode(),)
        return (kinds[fields.u8()], *(fields.blob() for _ in range(count)))


def same_member(ours, value):
    """Whether a member of our scan is that value: its kind, spelling and text, and how we write the text."""
    kind, raw, *texts = ours
    if kind != kind_of(value):
        return False
    if kind == NUMBER:
        return raw.decode() == value
    if kind == OTHER:
        return DECODER.decode(raw.decode()) == value
    is_kept, kept, is_replaced, text, written = texts
    expected = replaced(value)
    return is_kept == (expected == value) and (not is_kept or kept.decode() == value) and is_replaced and \
        text.decode() == expected and json.loads(written.decode()) == expected


class Case:
    def __init__(self, random):
        self.data = Text(random).whole()
        self.record = b"j" + blob(self.data)

    def expect(self):
        try:
            return Document(self.data.decode())
        except UnicodeDecodeError:
            return None

    def judge(self, document, record, seen):
        ours = Answer(record)
        wrong = self.judge_robot(ours, seen)
        if wrong is None and ours.is_utf8 != (document is not None):
            wrong = f"UTF-8: {ours.is_utf8}"
        if wrong is None and document is None:
            seen["not UTF-8"] += 1
        elif wrong is None:
            wrong = self.judge_scan(ours, document, seen) or \
                self.judge_dialect("chat", ours.chat, chat_of(document), seen) or \
                self.judge_dialect("relay", ours.relay, relay_of(document), seen)
        return wrong and f"{wrong}\n  text: {self.data[:500]!r} of {len(self.data)}"

    def judge_scan(self, ours, document, seen):
        fault, members = document.of(WANTED)
        if fault != ours.fault and not (fault == "not JSON" and ours.fault):
            return f"the scan says {ours.fault}, not {fault}"
        seen[fault or "accepted"] += 1
        if fault:
            return None
        if members.keys() != ours.members.keys():
            return f"members: {sorted(ours.members)}, not {sorted(members)}"
        for name, value in members.items():
            if not same_member(ours.members[name], value):
                return f"member {name}: {ours.members[name]}, not {value!r}"
            seen["lone surrogates"] += is_string(value) and SURROGATE.search(value) is not None
        return None

    def judge_dialect(self, name, ours, expected, seen):
        seen[f"{name}: {expected[0]}"] += 1
        return None if ours == expected else f"{name}: {ours}, not {expected}"

    def judge_robot(self, ours, seen):
        expected = robot_of(self.data)
        robot = ours.robot
        if robot and robot[2]:  # as it stood between the quotes
            robot = (robot[0], replaced(json.loads(b'"' + robot[1] + b'"')).encode(), True)
        seen["robot: none" if robot is None else "robot: object" if robot[2] else "robot: text"] += 1
        return None if robot in expected else f"robot: {robot}, not {expected}"
