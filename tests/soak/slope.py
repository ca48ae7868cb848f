"""Slopes that a few wild samples do not bend (Theil and Sen), and whether figures hold.

Nothing here knows where figures come from.
"""

import itertools
import math
import statistics

SAMPLES_MAX = 400  # the number of pairs grows with the square
FEWEST = 12        # samples from which a slope is worth something
SURE = 1.96        # standard deviations: 95 of 100


def thinned(values, most=SAMPLES_MAX):
    """At most `most` values: medians of neighbours."""
    if len(values) <= most:
        return list(values)
    edges = [round(i * len(values) / most) for i in range(most + 1)]
    return [statistics.median(values[a:b]) for a, b in itertools.pairwise(edges)]


class Slope:
    """The median slope between all pairs of points; `low` and `high` enclose it 95 times in 100.

    The interval is Sen's (1968). It takes samples for independent, which neighbours in time never
    quite are, so it is shown and says how noisy a run was, but a verdict rests on `value`.
    """

    def __init__(self, xs, ys):
        xs, ys = thinned(xs), thinned(ys)
        slopes = sorted((y2 - y1) / (x2 - x1)
                        for (x1, y1), (x2, y2) in itertools.combinations(zip(xs, ys), 2) if x1 != x2)
        self.is_known = bool(slopes)
        self.value = self.low = self.high = 0.0
        if slopes:
            n, pairs = len(xs), len(slopes)
            reach = SURE * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
            self.value = statistics.median(slopes)
            self.low = slopes[max(0, math.floor((pairs - reach) / 2))]
            self.high = slopes[min(pairs - 1, math.ceil((pairs + reach) / 2))]


def thirds(values):
    """The medians of the first and of the last third; of few values, of the first and last one."""
    size = max(1, len(values) // 3)
    return statistics.median(values[:size]), statistics.median(values[-size:])
