"""Whether the runner can be relied on: it must never call a run good that was not."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

import cases
import suite
import summary
from suite import Result, Run, faults_of

HERE = Path(__file__).parent


def good(case):
    verdict = cases.expected_behaviour(case)
    return Result(case, verdict, verdict, "")


def engine(change=lambda results: results):
    async def run(url, asked, concurrency):
        return change([good(case) for case in asked])
    return run


class Cases(unittest.TestCase):
    def test_the_tables_are_those_of_the_suite(self):
        import kosoku

        async def ask():
            try:
                await kosoku.run_fuzzingclient("ws://127.0.0.1:1", concurrency=64)
            except kosoku.FailureError as failure:
                return {result.case_id for result in failure.results}

        mine = {case for group in cases.GROUPS for case in cases.cases_of(group)}
        left_out = () if cases.DEFLATE else (12, 13)
        self.assertEqual(mine, {case for case in asyncio.run(ask())
                                if cases.section_of(case) not in left_out})
        self.assertEqual(len(mine), 517 if cases.DEFLATE else 301)
        self.assertLessEqual(set(cases.INFORMATIONAL), mine)


class Faults(unittest.TestCase):
    ASKED = ["7.1.5", "7.1.6"]

    def of(self, *results):
        return faults_of(self.ASKED, results)

    def test_only_exactly_what_is_expected_is_none(self):
        self.assertEqual(self.of(good("7.1.5"), good("7.1.6")), [])

    def test_a_case_that_did_not_run_or_ran_twice_or_was_not_asked_for(self):
        self.assertEqual(len(self.of(good("7.1.5"))), 1)
        self.assertEqual(len(self.of(good("7.1.5"), good("7.1.6"), good("7.1.6"))), 1)
        self.assertEqual(len(self.of(good("7.1.5"), good("7.1.6"), good("1.1.1"))), 1)
        self.assertEqual(len(self.of()), 2)

    def test_any_other_behaviour_or_close(self):
        for behaviour in ("NON-STRICT", "FAILED", "ERROR", "UNIMPLEMENTED", "INFORMATIONAL"):
            self.assertEqual(len(self.of(Result("7.1.5", behaviour, "OK", ""), good("7.1.6"))), 1)
        for close in ("FAILED", "UNCLEAN", "WRONG CODE", "FAILED BY CLIENT", "INFORMATIONAL"):
            self.assertEqual(len(self.of(Result("7.1.5", "OK", close, ""), good("7.1.6"))), 1)
        self.assertEqual(len(self.of(good("7.1.5"), Result("7.1.6", "OK", "OK", ""))), 1)


class Runs(unittest.TestCase):
    def test_a_whole_run_has_no_faults(self):
        run = Run("", cases.GROUPS, engine=engine())
        self.assertTrue(run.run(lambda: True), run.faults)
        self.assertEqual(len(run.results), run.expected)

    def test_results_that_are_missing_are_noticed(self):
        run = Run("", cases.GROUPS, engine=engine(lambda results: results[:-1]))
        self.assertFalse(run.run(lambda: True))

    def test_it_ends_where_the_server_does(self):
        alive = iter([True, True, False])
        run = Run("", cases.GROUPS, engine=engine())
        self.assertFalse(run.run(lambda: next(alive)))
        self.assertEqual(len(run.faults), 2, run.faults)

    def test_a_group_that_never_ends_is_told_of_and_given_up(self):
        async def never(url, asked, concurrency):
            await asyncio.Event().wait()
        told = []
        run = Run("", ["1.1", "1.2"], engine=never)
        with mock.patch.object(suite, "GROUP_SECONDS", 0.2), mock.patch.object(suite, "TICK_SECONDS", 0.05):
            self.assertFalse(run.run(lambda: True, lambda run, group: told.append(group)))
        self.assertGreater(len(told), 2)
        self.assertEqual(set(told), {"1.1"})
        self.assertIn("1.1: not done within", run.faults[0])


class Program(unittest.TestCase):
    """The exit code, with servers that are none."""

    def run_with(self, script, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            server = Path(folder) / "server"
            server.write_text("#!/bin/sh\n" + script)
            server.chmod(server.stat().st_mode | stat.S_IXUSR)
            return subprocess.run(
                [sys.executable, str(HERE / "run.py"), "--backend", "epoll", "--quick", *arguments],
                env={**os.environ, "GATEWAY_BIN": str(server)}, capture_output=True, text=True,
                timeout=120)

    def test_nobody_listens(self):
        done = self.run_with("echo listening address=127.0.0.1:1 >&2; exec sleep 60\n")
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_it_does_not_start(self):
        self.assertEqual(self.run_with("exit 0\n").returncode, 1)

    def test_it_dies_half_way(self):
        done = self.run_with(f"exec timeout -s KILL 2 {os.environ['GATEWAY_BIN']} \"$@\"\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the server ended meanwhile", done.stdout)
        self.assertIn("expected 301" if not cases.DEFLATE else "expected ", done.stdout)

    def test_it_does_what_is_almost_right(self):
        done = self.run_with(f"exec {os.environ['GATEWAY_BIN']} --listen 127.0.0.1:0\n")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"9\.1\.6: FAILED")

    def test_a_summary_of_a_part_is_refused(self):
        self.assertEqual(self.run_with("exit 0\n", "--write-summary").returncode, 2)


class Summary(unittest.TestCase):
    def test_it_counts_each_section_on_each_backend(self):
        runs = {}
        for name in ("uring", "epoll"):
            run = Run("", cases.GROUPS, engine=engine())
            run.run(lambda: True)
            runs[name] = types.SimpleNamespace(results=run.results)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "conformance.md"
            summary.write_summary(path, runs, "suite==1", "2026-01-02")
            text = path.read_text()
        self.assertIn("on 2026-01-02, with `suite==1`", text)
        self.assertIn("| 7 Close handling | 37 | 34 | 34 | 3 | 3 |", text)
        total = runs["epoll"].results
        self.assertIn(f"| all | {len(total)} | {len(total) - 3} | {len(total) - 3} | 3 | 3 |", text)


if __name__ == "__main__":
    unittest.main()
