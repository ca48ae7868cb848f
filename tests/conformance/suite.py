"""Runs groups of cases against a server and holds the results to what is expected.

A run may end early, and then nothing of what it did counts as a pass: a suite that reports only on the
cases that ran says that all is well when the server is gone.
"""

import asyncio
import collections
import time

from cases import cases_of, expected_behaviour

# For one group. The longest takes some seconds on a machine with nothing else to do.
GROUP_SECONDS = 300
# How often a group that is under way is told of.
TICK_SECONDS = 1

# What a case came to: whether its messages, and its close, were as they should be, and in words.
Result = collections.namedtuple("Result", "case behaviour close text")


async def run_with_kosoku(url, cases, concurrency):
    """The results of these cases, failed or not."""
    import kosoku

    try:
        found = await kosoku.run_fuzzingclient(url, cases, concurrency=concurrency)
    except kosoku.FailureError as failure:
        found = failure.results
    return [Result(one.case_id, one.behavior.value, one.behavior_close.value,
                   f"{one.result} {one.result_close}") for one in found]


def faults_of(cases, results):
    """One line for each way in which `results` are not what is expected of `cases`."""
    faults = []
    count = collections.Counter(result.case for result in results)
    for case in cases:
        if count[case] != 1:
            faults.append(f"{case}: ran {count[case]} times")
    for case in sorted(set(count) - set(cases)):
        faults.append(f"{case}: was not asked for")
    for result in results:
        wanted = expected_behaviour(result.case)
        if (result.behaviour, result.close) != (wanted, wanted):
            faults.append(f"{result.case}: {result.behaviour}, close {result.close}, "
                          f"expected {wanted}: {result.text}")
    return faults


class Run:
    """All groups against one server: `results` so far, and `faults`, empty if all is well."""

    def __init__(self, url, groups, quick=False, concurrency=1, engine=run_with_kosoku):
        self.url = url
        self.groups = list(groups)
        self.quick = quick
        self.concurrency = concurrency
        self.engine = engine
        self.results = []
        self.faults = []
        self.expected = sum(len(cases_of(group, quick)) for group in self.groups)

    def run(self, is_alive, on_group=lambda run, group: None):
        """Stops at the first group behind which `is_alive()` is false: the rest would say nothing.

        `on_group` is called when a group begins and every second while it is under way.
        """
        for group in self.groups:
            on_group(self, group)
            cases = cases_of(group, self.quick)
            try:
                results = asyncio.run(self.limited(cases, lambda: on_group(self, group)))
            except asyncio.TimeoutError:
                self.faults.append(f"{group}: not done within {GROUP_SECONDS} s")
                break
            self.results += results
            self.faults += faults_of(cases, results)
            if not is_alive():
                self.faults.append(f"{group}: the server ended meanwhile")
                break
        if len(self.results) != self.expected:
            self.faults.append(f"{len(self.results)} cases ran, expected {self.expected}")
        return not self.faults

    async def limited(self, cases, on_tick):
        engine = asyncio.ensure_future(self.engine(self.url, cases, self.concurrency))
        deadline = time.monotonic() + GROUP_SECONDS
        while not (await asyncio.wait({engine}, timeout=TICK_SECONDS))[0]:
            on_tick()
            if time.monotonic() > deadline:
                engine.cancel()
                raise asyncio.TimeoutError
        return engine.result()
