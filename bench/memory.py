"""What a process holds in memory, and the most that it held for a while.

The figure is Rss of /proc/PID/smaps_rollup, which the kernel counts page by page: all that is
resident, programs and libraries included. VmHWM sees peaks that are over before anybody looks, but is
added up for each CPU and may be off by some hundred KiB, so it serves where that does not matter.
"""

import re
import threading

SAMPLE_SECONDS = 0.02


def _field(pid, file, name):
    with open(f"/proc/{pid}/{file}", encoding="ascii") as text:
        return int(re.search(rf"^{name}:\s+(\d+) kB", text.read(), re.M).group(1)) * 1024


def resident(pid):
    return _field(pid, "smaps_rollup", "Rss")


class Peak:
    """A `with` block: `before`, then the most at any sample (`sampled`) and at any time (`most`)."""

    def __init__(self, pid):
        self.pid = pid
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self):
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as reset:
            reset.write("5")  # VmHWM becomes VmRSS
        self.high_before = _field(self.pid, "status", "VmHWM")
        self.before = self.sampled = resident(self.pid)
        self.thread.start()
        return self

    def _sample(self):
        while not self.is_over.wait(SAMPLE_SECONDS):
            self.sampled = max(self.sampled, resident(self.pid))

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        self.sampled = max(self.sampled, resident(self.pid))
        high = _field(self.pid, "status", "VmHWM") - self.high_before
        self.most = max(self.sampled, self.before + high)

    def growth(self):
        return self.sampled - self.before

    def growth_at_any_time(self):
        return self.most - self.before
