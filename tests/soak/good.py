"""The process of the good clients: every message must come exactly once, in order, and soon.

  good.py PORT SEED

They talk all the time on echo, chat and relay, and some relay users come and go and must find what
they missed. Commands come as lines on standard input, each answered with a line of JSON:

  gather    nobody sends any more, everybody is there, and all that was sent has come
  go        they talk again; the answer has the connections made so far
"""

import asyncio
import collections
import contextlib
import json
import random
import sys

from wire import CLOSE, Broken, Gone, Peer, frame

ECHOES, MEMBERS, SPEAKERS, RELAYS, WANDERERS = 8, 6, 2, 8, 4
TICK = 0.01
PACE = 0.05           # seconds between two messages of one sender, on average
PRESENT = ABSENT = 1  # seconds that a wanderer stays, at most
SETTLE_SECONDS, FAULT_SECONDS = 20, 3
FAULTS_MAX = 20


class Ledger:
    """What was sent and what came, as streams of numbers; and how long it took."""

    def __init__(self):
        self.sent = collections.Counter()
        self.got = collections.Counter()
        self.latencies = collections.defaultdict(list)
        self.faults = []
        self.checked = 0

    def fault(self, text):
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(text)

    def take(self, stream, number, seconds=None):
        """`stream`: (kind, sender, receiver); `seconds`: under way, if that counts."""
        expected = self.got[stream]
        self.got[stream] = max(expected, number + 1)
        self.checked += 1
        if number != expected:
            self.fault(f"{stream}: number {number} came, {expected} was next")
        if seconds is not None:
            self.latencies[stream[0]].append(seconds)

    def missing(self):
        return [f"{stream}: {self.got[stream]} of {count} came"
                for stream, count in self.sent.items() if self.got[stream] != count]

    def report(self):
        """Since the last one; latencies in milliseconds."""
        figures = {}
        for kind, values in self.latencies.items():
            values.sort()
            picked = (values[len(values) // 2], values[len(values) * 99 // 100], values[-1])
            figures[kind] = [round(value * 1000, 3) for value in picked]
        self.latencies.clear()
        return {"latencies": figures, "checked": self.checked, "faults": self.faults}


class Crowd:
    def __init__(self, port, seed):
        self.port, self.seed = port, seed
        self.ledger = Ledger()
        self.may_talk = asyncio.Event()
        self.present = 0  # sessions that are open
        self.made = 0
        self.tasks = []

    def clock(self):
        return asyncio.get_running_loop().time()

    async def enter(self, dialect, index):
        peer = Peer(self.port)
        await peer.open(dialect, offers_deflate=index % 2 == 1)
        self.made += 1
        self.present += 1
        return peer

    def start(self, name, work):
        async def guarded():
            try:
                await work
            except (Gone, Broken, ValueError, KeyError) as error:
                self.ledger.fault(f"{name}: {type(error).__name__} {error}")
        self.tasks.append(asyncio.ensure_future(guarded()))

    async def pace(self, source):
        await asyncio.sleep(source.uniform(0.5, 1.5) * PACE)
        await self.may_talk.wait()

    async def watch_the_time(self):
        """How late a timer is says what the machine, not the gateway, costs everybody."""
        while True:
            began = self.clock()
            await asyncio.sleep(TICK)
            self.ledger.latencies["timer"].append(self.clock() - began - TICK)

    def padding(self, source):
        return source.choice("abc") * source.choice((10, 100, 100, 100, 700, 3000))

    async def send_echoes(self, peer, index, source):
        stream = ("echo", index, index)
        while True:
            await self.pace(source)
            text = json.dumps([self.ledger.sent[stream], self.clock(), self.padding(source)])
            self.ledger.sent[stream] += 1
            await peer.say(text, compress=True)

    async def hear_echoes(self, peer, index):
        async for _, payload in peer.messages():
            number, began, _ = json.loads(payload)
            self.ledger.take(("echo", index, index), number, self.clock() - began)

    async def speak(self, peer, index, source):
        while True:
            await self.pace(source)
            number = self.ledger.sent["chat", index, 0]
            for member in range(MEMBERS):
                self.ledger.sent["chat", index, member] += 1
            await peer.say(json.dumps({
                "msg_type": "message", "good": [index, number, self.clock()],
                "message": self.padding(source)}), compress=True)

    async def hear_chat(self, peer, member):
        async for _, payload in peer.messages():
            message = json.loads(payload)
            if good := message.get("good"):
                index, number, began = good
                self.ledger.take(("chat", index, member), number, self.clock() - began)
            elif message["msg_type"] == "gap":
                self.ledger.fault(f"chat member {member} was told that it missed something: {message}")

    async def write_to(self, peer, kind, index, receiver, source):
        stream = (kind, index, receiver)
        while True:
            await self.pace(source)
            text = json.dumps({"msg_type": "send_", "to_user": f"{kind}-{receiver}",
                               "good": [kind, index, self.ledger.sent[stream], self.clock()],
                               "message": self.padding(source)})
            self.ledger.sent[stream] += 1
            await peer.say(text)

    async def hear_relay(self, peer, receiver):
        async for _, payload in peer.messages():
            message = json.loads(payload)
            if message["msg_type"] != "send_":
                raise Broken(f"relay user {receiver} got {payload[:100]}")
            kind, index, number, began = message["good"]
            seconds = self.clock() - began if kind == "relay" else None
            self.ledger.take((kind, index, receiver), number, seconds)

    async def wander(self, index, source):
        """Comes, reads, says Close, reads to the end: what was sent to it must miss nothing."""
        while True:
            peer = await self.enter("relay", index)
            await peer.say(json.dumps({"msg_type": "accept_", "toy_id": f"wanderer-{index}"}))
            reading = asyncio.ensure_future(self.hear_relay(peer, index))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(reading), source.random() * PRESENT)
            await self.may_talk.wait()
            self.present -= 1  # now, or a gathering would count on one who is about to go
            await peer.send(frame(CLOSE, b"\x03\xe8"))
            try:
                await reading
            except Gone as gone:
                if str(gone) != "Close 03e8 ":
                    raise
            peer.close()
            await asyncio.sleep(source.random() * ABSENT)

    async def begin(self):
        def source(kind, index):
            return random.Random(f"{self.seed}/{kind}/{index}")

        for i in range(ECHOES):
            peer = await self.enter("echo", i)
            self.start(f"echo client {i}", self.hear_echoes(peer, i))
            self.start(f"echo client {i}", self.send_echoes(peer, i, source("echo", i)))
        self.start("timer", self.watch_the_time())
        members = [await self.enter("chat", i) for i in range(MEMBERS)]
        for i, peer in enumerate(members):
            self.start(f"chat member {i}", self.hear_chat(peer, i))
        for i in range(SPEAKERS):
            self.start(f"chat member {i}", self.speak(members[i], i, source("chat", i)))
        users = [await self.enter("relay", i) for i in range(RELAYS)]
        for i, peer in enumerate(users):
            await peer.say(json.dumps({"msg_type": "accept_", "toy_id": f"relay-{i}"}))
            self.start(f"relay user {i}", self.hear_relay(peer, i))
        for i, peer in enumerate(users):
            self.start(f"relay user {i}",
                       self.write_to(peer, "relay", i, (i + 1) % RELAYS, source("relay", i)))
        for i in range(WANDERERS):
            self.start(f"sender to {i}", self.write_to(users[i], "wanderer", i, i, source("to", i)))
            self.start(f"wanderer {i}", self.wander(i, source("wanderer", i)))

    async def gather(self):
        """Waits until everybody is there and has everything. True, or a fault was noted."""
        self.may_talk.clear()
        everybody = ECHOES + MEMBERS + RELAYS + WANDERERS
        began = self.clock()
        while self.present < everybody or self.ledger.missing():
            # After a fault only long enough to see what else is wrong.
            if self.clock() > began + (FAULT_SECONDS if self.ledger.faults else SETTLE_SECONDS):
                for text in self.ledger.missing():
                    self.ledger.fault(text)
                if self.present < everybody:
                    self.ledger.fault(f"{self.present} of {everybody} good clients are there")
                break
            await asyncio.sleep(0.01)
        return {**self.ledger.report(), "made": self.made, "standing": {
            "echo": ECHOES, "chat": MEMBERS, "relay": RELAYS + WANDERERS}}


async def main():
    crowd = Crowd(int(sys.argv[1]), sys.argv[2])
    await crowd.begin()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "gather\n":
            answer = await crowd.gather()
        else:
            crowd.may_talk.set()
            answer = {"made": crowd.made}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
