"""The slope: exact on lines, blind to wild samples, and honest about noise."""

import random
import unittest

from slope import SAMPLES_MAX, Slope, thinned, thirds


class SlopeOfPoints(unittest.TestCase):
    def test_a_line_is_its_slope(self):
        for rise in (-3.0, 0.0, 0.25, 1024.0):
            found = Slope(range(20), [7 + rise * x for x in range(20)])
            self.assertEqual((found.value, found.low, found.high), (rise, rise, rise))

    def test_distances_between_points_count(self):
        self.assertEqual(Slope([0, 1, 10, 100], [0, 2, 20, 200]).value, 2)

    def test_wild_samples_do_not_bend_it(self):
        for wild in (1e9, -1e9):
            ys = [5.0 * x for x in range(40)]
            for place in (3, 11, 19, 38, 39):
                ys[place] = wild
            self.assertEqual(Slope(range(40), ys).value, 5)

    def test_one_step_at_either_end_is_no_slope(self):
        for place in (2, 5, 35, 38):
            ys = [0] * place + [1 << 20] * (40 - place)
            self.assertEqual(Slope(range(40), ys).value, 0)

    def test_a_rise_now_and_then_is_a_slope(self):
        self.assertGreater(Slope(range(40), [x // 8 for x in range(40)]).value, 0)

    def test_noise_is_enclosed_and_widens_the_interval(self):
        source = random.Random(1)
        hits, widths = 0, []
        for noise in (1, 100):
            for _ in range(50):
                found = Slope(range(60), [3 * x + source.gauss(0, noise) for x in range(60)])
                self.assertTrue(found.low <= found.value <= found.high)
                hits += found.low <= 3 <= found.high
            widths.append(found.high - found.low)
        self.assertGreaterEqual(hits, 85)
        self.assertGreater(widths[1], 20 * widths[0])

    def test_a_leak_under_noise_is_told_from_none(self):
        source = random.Random(2)
        connections = [400 * i for i in range(60)]
        for leak in (0, 1024):
            memory = [leak * n + source.uniform(0, 4 << 20) for n in connections]
            self.assertEqual(Slope(connections, memory).value > 512, leak > 0)

    def test_too_few_points_are_no_slope(self):
        for xs in ([], [1], [2, 2, 2]):
            self.assertFalse(Slope(xs, xs).is_known)
            self.assertEqual(Slope(xs, xs).value, 0)

    def test_many_points_are_thinned_and_their_slope_stays(self):
        self.assertEqual(thinned([1, 2, 3], 3), [1, 2, 3])
        self.assertEqual(thinned([1, 9, 2, 4], 2), [5, 3])
        count = 10 * SAMPLES_MAX + 7
        self.assertEqual(len(thinned(range(count))), SAMPLES_MAX)
        self.assertAlmostEqual(Slope(range(count), range(0, 2 * count, 2)).value, 2)


class Thirds(unittest.TestCase):
    def test_are_medians_of_the_ends(self):
        self.assertEqual(thirds([1, 1, 9, 50, 50, 50, 7, 7, 0]), (1, 7))
        self.assertEqual(thirds([4]), (4, 4))
        self.assertEqual(thirds([4, 6]), (4, 6))


if __name__ == "__main__":
    unittest.main()
