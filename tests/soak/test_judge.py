"""Verdicts on made-up samples and scrapes: each thing that may go wrong fails its own verdict only."""

import random
import unittest

from judge import (BYTES_PER_CONNECTION, EXPECTED_CLOSES, MIB, Sample, judge, judge_ends, table,
                   warm)
from watch import Metrics, books, over_bounds

PLANNED = 300


def samples(leak=0, descriptors=lambda n: 35, p99=lambda i: 8.0, count=60, each=1600,
            timer=lambda i: 3.0):
    """Every 5 s, 1,600 connections later; memory fills during the warm-up, and is noisy."""
    source = random.Random(7)
    found = []
    for i in range(count):
        private = 10 * MIB + min(i, 8) * MIB + leak * each * i + source.randrange(MIB)
        found.append(Sample(5.0 * i, each * i, private + 9 * MIB, private, descriptors(i),
                            {"echo": (0.5, p99(i), 20.0), "timer": (0.1, timer(i), 9.0)}))
    return found


def failed(found, planned=PLANNED):
    return [verdict.name for verdict in judge(found, planned) if verdict.holds is False]


def judged(found, planned=PLANNED):
    return [verdict.name for verdict in judge(found, planned) if verdict.holds is not None]


class Verdicts(unittest.TestCase):
    def test_a_gateway_that_stays_as_it_is_holds(self):
        self.assertEqual(judged(samples()), ["memory", "descriptors", "latency of echo"])
        self.assertEqual(failed(samples()), [])

    def test_a_leak_fails_memory_only(self):
        for leak in (1024, 256, 2 * BYTES_PER_CONNECTION):
            self.assertEqual(failed(samples(leak)), ["memory"], leak)
        self.assertEqual(failed(samples(BYTES_PER_CONNECTION // 4)), [])

    def test_any_slope_of_descriptors_fails(self):
        self.assertEqual(failed(samples(descriptors=lambda i: 35 + i // 20)), ["descriptors"])
        self.assertEqual(failed(samples(descriptors=lambda i: 35 + (i == 59))), ["descriptors"])
        self.assertEqual(failed(samples(descriptors=lambda i: 35 + (i == 30))), [])

    def test_latency_may_wobble_but_not_rise(self):
        self.assertEqual(failed(samples(p99=lambda i: 5 + 10 * (i % 5 == 0))), [])
        self.assertEqual(failed(samples(p99=lambda i: 5 + i / 10)), [], "a few milliseconds")
        self.assertEqual(failed(samples(p99=lambda i: 20 + i / 10)), [], "less than twice")
        self.assertEqual(failed(samples(p99=lambda i: 5 + i)), ["latency of echo"])

    def test_a_busy_machine_is_not_the_gateways_fault(self):
        def busy(i):
            return 500.0 if i >= 40 else 3.0

        self.assertEqual(failed(samples(p99=lambda i: busy(i) + 5, timer=busy)), [])
        self.assertEqual(judged(samples(timer=lambda i: 500.0)), ["memory", "descriptors"])

    def test_too_little_is_not_judged(self):
        self.assertEqual(judged(samples(count=13)), ["descriptors"], "too few connections")
        self.assertEqual(judged(samples(count=20, each=8000)), ["descriptors"], "too few samples")
        self.assertEqual(judged([]), [])
        self.assertEqual(len(table([], PLANNED)), 2)

    def test_a_reason_that_is_never_seen_fails(self):
        closes = {reason: 200 for reason in EXPECTED_CLOSES}
        self.assertTrue(judge_ends(closes).holds)
        for reason in EXPECTED_CLOSES:
            self.assertIs(judge_ends({**closes, reason: 0}).holds, False, reason)
        self.assertIsNone(judge_ends({"closed": 100}).holds)

    def test_the_warm_up_is_left_out(self):
        self.assertEqual([s.seconds for s in warm(samples(), PLANNED)][0], 60)
        self.assertEqual([s.seconds for s in warm(samples(), 36000)][0], 240)

    def test_the_table_has_the_thirds(self):
        rows = "\n".join(table(samples(1024), PLANNED))
        self.assertRegex(rows, r"memory of its own, MiB \| \d+\.\d\d \| \d+\.\d\d \| \+1,\d{3}\.\d\d \| \+10\d\d B")
        self.assertIn("| descriptors | 35 | 35 | +0 | +0.0000 |", rows)
        self.assertIn("| echo, p99, ms | 8.0 | 8.0 |", rows)


STANDING = {"echo": 2, "chat": 1, "relay": 1}
SCRAPE = """# HELP sluice_connections Open sessions.
sluice_connections{dialect="echo"} 2
sluice_connections{dialect="chat"} 1
sluice_connections{dialect="relay"} 1
sluice_sessions_opened_total{dialect="echo"} 9
sluice_closes_total{code="1000",initiator="client",reason="closed"} 4
sluice_closes_total{code="1006",initiator="client",reason="left"} 1
sluice_shard_connections{shard="0"} 2
sluice_shard_connections{shard="1"} 3
sluice_subscriptions{shard="0"} 2
sluice_fanned_out_total{shard="0"} 12
sluice_delivered_total{shard="0"} 6
sluice_mailbox_returned_total{shard="0"} 1
sluice_mailbox_kept_total{shard="0"} 1
sluice_mailbox_held_total{shard="0"} 2
sluice_dropped_total{reason="session_ended"} 1
sluice_dropped_total{reason="slow_consumer"} 2
sluice_dropped_total{reason="conflated"} 1
sluice_dropped_total{reason="mailbox_full"} 1
sluice_dropped_total{reason="no_subscriber"} 1
sluice_published_total{shard="0"} 14
sluice_distributed_total{shard="0"} 10
sluice_mailbox_stored_total{shard="0"} 6
sluice_mailbox_delivered_total{shard="0"} 2
sluice_mailbox_acknowledged_total{shard="0"} 2
sluice_mailbox_messages{shard="0"} 1
sluice_channels{shard="0"} 4
sluice_queued_bytes{shard="0"} 0
sluice_inbox_aside{shard="0"} 0
"""


class Books(unittest.TestCase):
    def test_agree(self):
        self.assertEqual(books(Metrics(SCRAPE), STANDING), [])

    def test_any_number_that_is_off_by_one_is_found(self):
        lines = SCRAPE.splitlines()
        for place, line in enumerate(lines[1:], 1):
            name, value = line.rsplit(" ", 1)
            changed = "\n".join([*lines[:place], f"{name} {int(value) + 1}", *lines[place + 1:]])
            self.assertTrue(books(Metrics(changed), STANDING), name)

    def test_bounds_hold_at_any_moment(self):
        for line in ("sluice_queued_bytes 999999999", "sluice_history_messages 501",
                     "sluice_mailbox_bytes 9999999", "sluice_channels 5"):
            self.assertEqual(len(over_bounds(Metrics(line))), 1, line)


if __name__ == "__main__":
    unittest.main()
