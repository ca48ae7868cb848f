"""Cooked books: each broken promise must be found, and an honest run passes."""

import unittest

from books import Books, End, Follower

KILL = End(at=10.0, is_clean=False)


class Cooked(unittest.TestCase):
    def setUp(self):
        self.books = Books(keeps=100, interval=0.1, slack=0.1)
        self.books.restart("c", "0", 0, [], None)

    def publish(self, offset, is_sync=True, at=1.0, epoch="e"):
        sent = self.books.send("c", "p", is_sync, at)
        self.books.answer(sent, at, (epoch, offset))
        return sent.id

    def mail(self, is_sync=True, at=1.0):
        sent = self.books.send("user://u", "p", is_sync, at)
        sent.life = len(self.books.ends)
        self.books.answer(sent, at)
        return sent.id

    def restart(self, entries, epoch="e", end=KILL, top=None):
        self.books.restart("c", epoch, entries[-1][0] if top is None else top, entries, end)

    def assert_fault(self, words):
        self.assertEqual(len(self.books.faults), 1, self.books.faults)
        self.assertIn(words, self.books.faults[0])

    def test_nothing_lost(self):
        one, two = self.publish(1), self.publish(2, is_sync=False)
        self.restart([(1, one), (2, two)])
        self.assertEqual(self.books.faults, [])

    def test_a_tail_without_sync_may_go_with_the_epoch(self):
        one, _ = self.publish(1), self.publish(2, is_sync=False, at=9.95)
        self.restart([(1, one)], epoch="f")
        self.assertEqual(self.books.faults, [])
        self.assertEqual(self.books.counts["lost"], 1)
        self.assertAlmostEqual(self.books.oldest_loss, 0.05)

    def test_what_was_answered_with_sync_is_gone(self):
        one, _ = self.publish(1), self.publish(2)
        self.restart([(1, one)], epoch="f")
        self.assert_fault("answered with sync, and gone")

    def test_an_old_answer_is_gone(self):
        one, _ = self.publish(1), self.publish(2, is_sync=False, at=9.5)
        self.restart([(1, one)], epoch="f")
        self.assert_fault("0.500 s before the end")

    def test_something_is_gone_after_a_clean_stop_or_a_quiet_kill(self):
        for end in (End(10.0, is_clean=True), End(10.0, is_clean=False, is_quiet=True)):
            self.setUp()
            one, _ = self.publish(1), self.publish(2, is_sync=False, at=9.99)
            self.restart([(1, one)], epoch="f", end=end)
            self.assertEqual(len(self.books.faults), 2)  # and a new epoch

    def test_an_epoch_goes_on_too_early(self):
        one, _ = self.publish(1), self.publish(2, is_sync=False, at=9.99)
        self.restart([(1, one)])
        self.assert_fault("somebody saw 2")

    def test_an_offset_that_was_only_heard_counts(self):
        one = self.publish(1)
        Follower(self.books, "c", "s").subscribed("e", 1, False, False, [])
        self.books.see("c", "e", 2, 77, "s")
        self.restart([(1, one)])
        self.assert_fault("somebody saw 2")

    def test_an_offset_is_given_twice(self):
        self.publish(1)
        self.books.see("c", "e", 1, 77, "s")
        self.assert_fault("e:1 is 1, and 77 for s")

    def test_an_epoch_comes_back(self):
        one = self.publish(1)
        self.restart([(1, one)], epoch="f")
        self.restart([(1, one)], epoch="e")
        self.assert_fault("was over, and is back")

    def test_a_hole_in_the_history(self):
        one, two, three = self.publish(1), self.publish(2, is_sync=False, at=9.99), self.publish(3)
        self.restart([(1, one), (3, three)])
        self.assert_fault("has holes")
        self.setUp()
        one, two = self.publish(1), self.publish(2, is_sync=False, at=9.99)
        self.restart([(1, one)], top=2)
        self.assert_fault("has holes")
        self.assertEqual(two, 2)

    def test_something_is_twice_in_the_history(self):
        one = self.publish(1)
        self.restart([(1, one), (2, one)])
        self.assert_fault("twice in the history")

    def test_old_ones_go_or_change(self):
        one, two = self.publish(1), self.publish(2)
        self.restart([(1, one), (2, two)])
        self.restart([(2, two)])
        self.assert_fault("though there is room")
        self.setUp()
        one, two = self.publish(1), self.publish(2)
        self.restart([(1, one), (2, two)])
        self.restart([(1, one)], epoch="f")
        self.assert_fault("old ones are missing")

    def test_old_ones_may_make_room(self):
        ids = [self.publish(n) for n in range(1, 101)]
        self.restart(list(enumerate(ids, 1)), end=KILL)
        self.books.faults.clear()  # so many answers that nothing can be said
        new = self.publish(101)
        self.restart([*list(enumerate(ids, 1))[1:], (101, new)])
        self.assertEqual(self.books.faults, [])

    def test_mail_is_gone(self):
        self.mail()
        self.books.ends.append(KILL)
        self.books.check_mail()
        self.assert_fault("answered with sync, and gone")

    def test_mail_without_sync_may_go_with_the_next_end_only(self):
        self.mail(is_sync=False, at=9.99)
        self.books.ends.append(KILL)
        self.books.check_mail()
        self.assertEqual(self.books.faults, [])
        self.mail(is_sync=False, at=11.0)
        self.books.ends.append(End(at=12.0, is_clean=False))
        self.books.check_mail()
        self.assert_fault("1.000 s before the end")

    def test_mail_is_gone_though_its_process_lives(self):
        self.books.ends.append(KILL)
        self.mail(is_sync=False, at=11.0)
        self.books.check_mail()
        self.assert_fault("its process lives")

    def test_mail_may_come_again_but_not_to_others_nor_in_another_order(self):
        one, two = self.mail(), self.mail()
        for identity in (one, two, one, two):
            self.books.receive_mail("user://u", identity)
        self.books.check_mail()
        self.assertEqual(self.books.faults, [])
        self.books.receive_mail("user://v", one)
        self.assert_fault("not for this user")
        self.setUp()
        one, two = self.mail(), self.mail()
        for identity in (two, one):
            self.books.receive_mail("user://u", identity)
        self.books.check_mail()
        self.assert_fault("came after")

    def test_a_subscriber_gets_what_it_missed_and_nothing_else(self):
        follower = Follower(self.books, "c", "s")
        follower.subscribed("e", 0, False, False, [])
        follower.publication(1, 1)
        follower.subscribed("e", 1, True, True, [(2, 2), (3, 3)])
        follower.publication(4, 4)
        self.assertEqual(self.books.faults, [])
        follower.publication(4, 4)
        self.assert_fault("e:4 after 4")

    def test_a_subscriber_misses_something(self):
        follower = Follower(self.books, "c", "s")
        follower.subscribed("e", 3, False, False, [])
        follower.subscribed("e", 3, True, True, [(5, 5)])
        self.assert_fault("e:5 after 3")

    def test_a_subscriber_recovers_into_another_epoch(self):
        follower = Follower(self.books, "c", "s")
        follower.subscribed("e", 3, False, False, [])
        follower.subscribed("f", 3, True, True, [])
        self.assert_fault("recovered from e into f")


if __name__ == "__main__":
    unittest.main()
