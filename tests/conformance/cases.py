"""Which cases of the Autobahn suite are run, and what is expected of each."""

# Whether the gateway is asked to speak permessage-deflate, which sections 12 and 13 are about.
DEFLATE = True

# The suite's limits: its largest message, and the message that it sends in the smallest pieces.
OPTIONS = ("--max-message", "16MiB", "--max-fragments", "70000",
           *(("--compression", "dedicated") if DEFLATE else ()))

# Group -> how many cases it has, numbered from 1. There is no section 8 or 11.
GROUPS = {
    "1.1": 8, "1.2": 8,
    "2": 11,
    "3": 7,
    "4.1": 5, "4.2": 5,
    "5": 20,
    "6.1": 3, "6.2": 4, "6.3": 2, "6.4": 4, "6.5": 5, "6.6": 11, "6.7": 4, "6.8": 2, "6.9": 4,
    "6.10": 3, "6.11": 5, "6.12": 8, "6.13": 5, "6.14": 10, "6.15": 1, "6.16": 3, "6.17": 5,
    "6.18": 5, "6.19": 5, "6.20": 7, "6.21": 8, "6.22": 34, "6.23": 7,
    "7.1": 6, "7.3": 6, "7.5": 1, "7.7": 13, "7.9": 9, "7.13": 2,
    "9.1": 6, "9.2": 6, "9.3": 9, "9.4": 9, "9.5": 6, "9.6": 6, "9.7": 6, "9.8": 6,
    "10.1": 1,
    **({f"{section}.{group}": 18 for section, groups in ((12, 5), (13, 7))
        for group in range(1, groups + 1)} if DEFLATE else {}),
}

SECTIONS = {
    1: "Framing", 2: "Pings and pongs", 3: "Reserved bits", 4: "Opcodes", 5: "Fragmentation",
    6: "UTF-8 handling", 7: "Close handling", 9: "Limits and performance", 10: "Miscellaneous",
    12: "Compression, different payloads", 13: "Compression, different parameters",
}

# Cases without a right answer: the suite only says what it saw.
INFORMATIONAL = {
    "7.1.6": "a Close and a ping behind a message of 256 KiB",
    "7.13.1": "a Close with code 5000",
    "7.13.2": "a Close with code 65536",
}

# Of a group of sections 12 and 13, how many cases the quick run takes: the others send the same in
# more or larger messages, for minutes.
QUICK_DEFLATE_CASES = 4


def section_of(case):
    return int(case.split(".")[0])


def cases_of(group, quick=False):
    """The identifiers of a group's cases, in their order."""
    count = GROUPS[group]
    if quick and section_of(group) in (12, 13):
        count = min(count, QUICK_DEFLATE_CASES)
    return [f"{group}.{number}" for number in range(1, count + 1)]


def expected_behaviour(case):
    return "INFORMATIONAL" if case in INFORMATIONAL else "OK"
