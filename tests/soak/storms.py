"""The process of the clients that come and go: it waits for `storm SECONDS RATE`, and answers in JSON.

  storms.py PORT SEED     `{"tried": n, "answered": n, "fault": ""}` for each storm

Which clients come in which order, and what each does, follows from the seed and the number of the
storm; how they interleave is the kernel's affair. When a storm ends, so do all of its clients.
"""

import asyncio
import json
import random
import sys

from hostile import HABITS, STALLS, Field, live, talk
AT_ONCE = 400  # clients; beyond it nobody comes until somebody has gone
TALKERS = 2


class Storm:
    def __init__(self, port, seed, number):
        self.field = Field(port)
        self.source = random.Random(f"{seed}/{number}")
        self.running = set()
        self.fault = ""

    def begin(self, habit):
        source = random.Random(self.source.getrandbits(64))
        task = asyncio.ensure_future(live(habit, self.field, source))
        self.running.add(task)
        task.add_done_callback(self.on_end)

    def on_end(self, task):
        self.running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.fault = f"{type(error).__name__}: {error}"

    async def blow(self, seconds, rate):
        loop = asyncio.get_running_loop()
        started = loop.time()
        for habit in (talk,) * TALKERS + STALLS:  # deadlines end these within the storm
            self.begin(habit)
        come = 0
        while (passed := loop.time() - started) < seconds:
            while come < passed * rate:
                come += 1
                if len(self.running) < AT_ONCE:
                    self.begin(self.source.choices(*zip(*HABITS.items()))[0])
            await asyncio.sleep(1 / rate)
        for task in self.running:
            task.cancel()
        while self.running:
            await asyncio.wait(self.running)
        return {"tried": self.field.tried, "answered": self.field.answered, "fault": self.fault}


def main():
    port, seed = int(sys.argv[1]), sys.argv[2]
    for number, line in enumerate(sys.stdin):
        _, seconds, rate = line.split()
        result = asyncio.run(Storm(port, seed, number).blow(float(seconds), float(rate)))
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
