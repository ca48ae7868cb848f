"""Random JSON texts as bytes: of the dialects' kind, of any kind, deep, and broken ones."""

NAMES = ["msg_type", "to_user", "toy_id", "from_user", "nickname", "message", "cur_time", "x", "",
         "a longer name than sixteen bytes"]
TYPES = ["message", "update_clients", "accept_", "send_", "ack_", "unheard of", "message ", ""]
BLANKS = ["", "", "", "", "", "", " ", "\n", "\t\r", "  "]
PIECES = ["a", "bc", "a run of plain text that is longer than a vector", "\u4f60", "\U0001f600", "\u0080", "\uffff",
          "\\n", "\\\"", "\\\\", "\\/", "\\b\\f\\r\\t", "\\u0041", "\\u00FF", "\\u0000", "\\ud83d\\ude00",
          "\\uDBFF\\uDFFF", "'", "[", "}", ",", "\x7f", "\u2028"]
LONE = ["\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\ude00\\ud83d", "\\ud83d\\n", "\\ud83d\\ud83d\\ude00"]
NUMBERS = ["0", "-0", "7", "17", "17.0", "1.7e1", "170E-1", "-1", "0.5", "1e400", "1E-400", "0e99999999999999999999",
           "1e99999999999999999999", "9007199254740993", "18446744073709551615", "18446744073709551616",
           "18446744073709551615.0", "1844674407370955161.5e1", "-9223372036854775808", "-9223372036854775809",
           "9223372036854775808", "100000000000000000000000000000000000", "1.0000000000000000000000001",
           "12345678901234567890123e-3", "1000e-3", "0.001e3", "0.0", "-0.0e-0"]
NOT_JSON = ["NaN", "Infinity", "-Infinity", "nul", "True", "01", "1.", ".5", "+1", "1e", "0x10", "'a'", "\"\\x41\"",
            "\"\\u12G4\"", "\"\\u123\"", "\"a", "[1,]", "{,}", "{\"a\"}", "{\"a\":}", "[1 2]", "\"\t\"", "--1", "1e+", "//"]
FRAGMENTS = [b"\"", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"1", b"-", b"+", b".", b"e", b"E", b"u", b" ",
             b"\n", b"t", b"null", b"\x01", b"\x1f", b"\x00", b"/", b"\\u", b"d8", b"\"\"", b"[]", b"\xff", b"\xc3",
             b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\xa0", b"\x0b", b"\x0c", b"NaN"]
DEPTHS = [510, 511, 512, 513, 514, 700, 2000]


class Text:
    """Draws one."""

    def __init__(self, random):
        self.random = random

    def blank(self):
        return self.random.choice(BLANKS)

    def quoted(self, text):
        """A string in one of the ways that it may be spelled."""
        if self.random.random() < 0.1 and text:
            at = self.random.randrange(len(text))
            text = text[:at] + f"\\u{ord(text[at]):04{self.random.choice('xX')}}" + text[at + 1:]
        return f'"{text}"'

    def string(self):
        count = self.random.randrange(6) if self.random.random() < 0.95 else self.random.randrange(300)
        pieces = PIECES + LONE if self.random.random() < 0.15 else PIECES
        if self.random.random() < 0.03:  # around what an id or a nickname may have
            return '"' + self.random.choice(["a", "\u4f60", "\\u4f60", "\U0001f600"]) * self.random.choice(
                [63, 64, 65, 85, 86, 255, 256, 257]) + '"'
        return '"' + "".join(self.random.choice(pieces) for _ in range(count)) + '"'

    def number(self):
        random = self.random
        if random.random() < 0.5:
            return random.choice(NUMBERS)
        digits = str(random.randrange(10 ** random.randrange(1, 25)))
        fraction = "." + "".join(random.choice("0005") for _ in range(random.randrange(1, 5)))
        exponent = random.choice("eE") + random.choice(["", "+", "-"]) + str(random.randrange(30))
        return random.choice(["", "-"]) + digits + random.choice(["", fraction]) + random.choice(["", exponent])

    def value(self, depth):
        kind = self.random.randrange(7 if depth > 0 else 5)
        if kind == 0:
            return self.random.choice(["true", "false", "null"])
        if kind < 3:
            return self.number()
        if kind < 5:
            return self.string()
        return self.array(depth) if kind == 5 else self.object(depth)

    def join(self, items, brackets):
        inner = ",".join(self.blank() + item + self.blank() for item in items)
        return brackets[0] + (inner or self.blank()) + brackets[1]

    def array(self, depth):
        return self.join([self.value(depth - 1) for _ in range(self.random.randrange(4))], "[]")

    def member(self, name, value):
        return self.quoted(name) + self.blank() + ":" + self.blank() + value

    def object(self, depth):
        return self.join([self.member(self.random.choice(NAMES), self.value(depth - 1))
                          for _ in range(self.random.randrange(4))], "{}")

    def command(self):
        """What a client of a dialect sends, sometimes with a member twice or missing."""
        random = self.random
        kind = random.choice(TYPES)
        names = random.sample(NAMES[1:], random.randrange(5))
        members = [self.member(name, self.value(2)) for name in names]
        needed = {"update_clients": "nickname", "accept_": "toy_id", "send_": "to_user"}.get(kind)
        if needed not in (None, *names) and random.random() < 0.8:
            members.append(self.member(needed, random.choice([self.string, self.number])()))
        if random.random() < 0.05 and members:
            members.append(random.choice(members))
        for _ in range(random.choice([1] * 20 + [0, 2])):
            value = self.quoted(kind) if random.random() < 0.95 else self.value(1)
            members.insert(random.randrange(len(members) + 1), self.member("msg_type", value))
        return self.join(members, "{}")

    def deep(self):
        depth = self.random.choice(DEPTHS)
        opening = "".join(self.random.choice(["[", '{"a":']) for _ in range(depth))
        closing = "".join("]" if c == "[" else "}" for c in reversed(opening) if c in "[{")
        return opening + self.random.choice(["1", "[]", "{}", "\"[[[\""]) + closing

    def broken(self, text):
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(text) + 1)
            kind = self.random.randrange(5)
            if kind == 0:
                text = text[:at] + text[at + 1:]
            elif kind == 1:
                text = text[:at] + text[at:at + 1] + text[at:]
            elif kind == 2:
                text = text[:at] + self.random.choice(FRAGMENTS) + text[at:]
            elif kind == 3:
                text = text[:at] + self.random.choice(FRAGMENTS) + text[at + 1:]
            else:
                text = text[:at]
        return text

    def whole(self):
        kind = self.random.random()
        if kind < 0.01:
            return self.deep().encode()
        if kind < 0.06:
            text = f"[{self.random.choice(NOT_JSON)}]" if kind < 0.03 else self.random.choice(NOT_JSON)
        else:
            text = self.blank() + (self.command() if kind < 0.85 else self.value(3)) + self.blank()
        data = text.encode()
        return self.broken(data) if self.random.random() < 0.3 else data
