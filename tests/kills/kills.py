#!/usr/bin/env python3
"""kill -9 of the gateway under load, again and again on the same directory, and the books afterwards.

Application servers publish, with `sync` and without, and try again what was not answered; subscribers
recover from where they were; users of the relay come and go. At a random moment the process is killed
and started again. Then the whole history is held against what was answered and seen (books.py).

Exit codes: 0 the books balance, 1 they do not, 2 the command line is wrong.
"""

import argparse
import asyncio
import collections
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/soak"))

from wire import Broken, Peer  # noqa: E402

from books import Books, End  # noqa: E402
from clients import KEY, Api, Publisher, Reader, Sender, Subscriber, World, history  # noqa: E402
from process import Process, Trouble  # noqa: E402

CHANNELS = ("keep:a", "keep:b", "keep:c", "few:a", "chat")
USERS = tuple(f"user://u{n}" for n in range(12))
KEEPS = 5000
OPTIONS = (
    "--shards", "2", "--namespace", f"keep.history_messages={KEEPS}", "--namespace",
    "keep.history_size=16MiB", "--namespace", "keep.subscribe=everybody", "--namespace",
    f"few.history_messages={KEEPS}", "--namespace", "few.subscribe=everybody", "--namespace",
    f"chat.history_messages={KEEPS}", "--mailbox-messages", "5000", "--mailbox-size", "4MiB")
INTERVAL_SECONDS = 0.1  # the default of --data-sync-interval
# How late the gateway may be with the interval on a machine that does other things, too.
SLACK_SECONDS = 0.9
CLEAN_PERCENT, QUIET_PERCENT, EARLY_PERCENT = 10, 15, 20
FINISH_SECONDS, FAULTS_SHOWN = 60, 30


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev kills", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("kills", type=int, nargs="?", default=100, metavar="KILLS",
                        help="how often; 100 if not said")
    parser.add_argument("--backend", choices=("io_uring", "epoll"), default="io_uring")
    parser.add_argument("--seed", type=int, help="what happens when; else one is chosen and said. What "
                        "threads and the kernel make of it differs from run to run")
    parser.add_argument("--keep", metavar="DIR", help="leave database and log there")
    asked = parser.parse_args()
    if asked.kills < 1:
        parser.error("KILLS is a number above 0")
    if asked.seed is None:
        asked.seed = random.randrange(1_000_000)
    return asked


class Run:
    def __init__(self, asked, folder):
        self.asked = asked
        self.rng = random.Random(asked.seed)
        keys = folder / "keys"
        keys.write_text(KEY)
        binary = os.environ.get("GATEWAY_BIN", str(ROOT / "build/release/bin/sluice"))
        self.process = Process(binary, folder / "data", folder / "log", "--backend", asked.backend,
                               "--api-key-file", str(keys), *OPTIONS)
        self.books = Books(KEEPS, INTERVAL_SECONDS, SLACK_SECONDS)
        self.world = World(self.process, self.books, self.rng)
        self.early = 0
        self.kinds = collections.Counter()
        self.served = None

    def clients(self):
        world, rng = self.world, self.rng
        channels = list(CHANNELS)
        for n in range(4):
            yield Publisher(world, f"sync{n}", channels, True, 0.005)
            yield Publisher(world, f"fast{n}", channels[:3], False, 0.002)
        yield Publisher(world, "rare", ["few:a"], False, 0.3)
        for n in range(3):
            yield Publisher(world, f"mail{n}", list(USERS), True, 0.01)
            yield Publisher(world, f"post{n}", list(USERS), False, 0.01)
        yield Sender(world, "toy", list(USERS), 0.01)
        for n in range(4):
            yield Subscriber(world, f"subscriber{n}", rng.sample(channels, 3))
        for n, user in enumerate(USERS):
            yield Reader(world, user[len("user://"):], is_slow=n % 4 == 0)

    async def start(self):
        """Starts it; now and then it is killed before it is ready, which must change nothing."""
        self.process.spawn()
        while self.rng.random() * 100 < EARLY_PERCENT:
            await asyncio.sleep(self.rng.random() * 0.1)
            await self.process.end(is_clean=False)
            self.early += 1
            self.process.spawn()
        await self.process.wait_until_ready()

    async def check(self):
        """Holds the history of each channel against the books, before anybody goes on."""
        api = Api(self.world)
        for channel in CHANNELS:
            epoch, top, entries = await history(api, channel)
            self.books.restart(channel, epoch, top, entries, self.served)
        api.close()

    async def end(self):
        """Ends the process at a moment that the dice choose."""
        dice = self.rng.random() * 100
        await asyncio.sleep(self.rng.choice((0.1, 1.0)) * self.rng.random())
        is_clean, is_quiet = dice < CLEAN_PERCENT, dice >= 100 - QUIET_PERCENT
        self.world.is_up.clear()
        if is_quiet:
            while self.world.calls > 0:
                await asyncio.sleep(0.01)
            await asyncio.sleep(INTERVAL_SECONDS + SLACK_SECONDS)
        self.served = End(await self.process.end(is_clean), is_clean, is_quiet)
        self.books.ends.append(self.served)
        self.kinds["clean stops" if is_clean else "kills while quiet" if is_quiet else "kills"] += 1

    async def drain(self):
        """Everybody fetches what waits: what comes before a message to oneself was all of it."""
        for where in USERS:
            marker = self.books.send(where, where, False, time.monotonic())
            with Peer(self.process.ports["clients"]) as peer:
                await peer.open("relay")
                name = where[len("user://"):]
                await peer.say(json.dumps({"msg_type": "accept_", "toy_id": name}))
                await peer.say(json.dumps({"msg_type": "send_", "to_user": name, "i": marker.id}))
                async for _, payload in peer.messages():
                    identity = json.loads(payload)["i"]
                    self.books.receive_mail(where, identity)
                    if identity == marker.id:
                        break

    async def go(self):
        tasks = [asyncio.create_task(client.run()) for client in self.clients()]
        try:
            for number in range(self.asked.kills + 1):
                await self.start()
                await self.check()
                if number == self.asked.kills or self.books.faults:
                    break
                self.world.is_up.set()
                await first_of(self.end(), tasks)
            self.world.is_over = True
            self.world.is_up.set()
            await asyncio.wait_for(asyncio.gather(*tasks), FINISH_SECONDS)
            await asyncio.wait_for(self.drain(), FINISH_SECONDS)
            self.books.check_mail()
            await self.process.end(is_clean=True)
        finally:
            for task in tasks:
                task.cancel()
            self.process.close()

    def table(self):
        rows = [*self.kinds.items(), ("kills before it was ready", self.early),
                *sorted(self.books.counts.items()),
                ("oldest loss, ms before the end", round(1000 * self.books.oldest_loss)),
                ("longest start, ms", round(1000 * max(self.process.starts, default=0)))]
        return "\n".join(f"| {name} | {value} |" for name, value in rows)


async def first_of(main, tasks):
    """Runs `main`, and ends with the first of the tasks that fails meanwhile."""
    main = asyncio.ensure_future(main)
    done, _ = await asyncio.wait([main, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    if main not in done:
        main.cancel()
        raise Trouble("a client ended before it was over")


def main():
    asked = parse_arguments()
    print(f"kills: {asked.kills} on {asked.backend}, seed {asked.seed}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(asked.keep or folder)
        folder.mkdir(parents=True, exist_ok=True)
        run = Run(asked, folder)
        try:
            asyncio.run(run.go())
        except (Trouble, Broken, TimeoutError) as trouble:
            run.books.fault(f"{type(trouble).__name__}: {trouble}")
    print(run.table())
    for fault in run.books.faults[:FAULTS_SHOWN]:
        print(f"kills: {fault}")
    print(f"kills: {len(run.books.faults)} faults, seed {asked.seed}" if run.books.faults
          else "kills: the books balance")
    return 1 if run.books.faults else 0


if __name__ == "__main__":
    sys.exit(main())
