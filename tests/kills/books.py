"""The books of what was published and what was there afterwards; pure, so tests can cook them.

Everything published has an id of its own. Whoever sees a position (an answer, a subscriber, a
history) tells the books, and after each start they are handed the whole history of each channel.
`faults` are lines; each is a promise that was broken.
"""

import collections
import dataclasses


@dataclasses.dataclass
class Sent:
    id: int
    where: str              # a channel, or a user
    is_sync: bool
    sender: str
    sent_at: float
    is_settled: bool = False    # answered, or given up
    answered_at: float | None = None
    position: tuple | None = None  # (epoch, offset)
    tries: int = 0
    life: int = 0               # of the process that answered: how many had ended before
    is_live: bool = False       # to a user who was perhaps there


@dataclasses.dataclass
class End:
    """How a process ended that had served. `is_quiet`: all that was answered had been on disk by then."""

    at: float
    is_clean: bool
    is_quiet: bool = False

    @property
    def loses_nothing(self):
        return self.is_clean or self.is_quiet


class Channel:
    """What is known of one channel with a history."""

    def __init__(self, name):
        self.name = name
        self.seen = {}      # (epoch, offset) -> id
        self.top = {}       # epoch -> the largest offset that anybody saw
        self.epoch = None   # the newest; None: the channel is not there
        self.kept = []      # ids of the history after the last start
        self.answered = []  # since then


class Books:
    """`keeps`: publications that a history has room for. `interval`: what an answer without sync may lose,
    in seconds; `slack`: how late a busy machine may be with that."""

    def __init__(self, keeps, interval, slack):
        self.keeps, self.interval, self.slack = keeps, interval, slack
        self.channels = {}
        self.sent = {}       # id -> Sent
        self.mail = collections.defaultdict(dict)  # user -> id -> how often it came
        self.notes = collections.defaultdict(list)  # user -> (moment, what happened), to explain a fault
        self.waiting = set()  # ids of mail that has an answer and was not delivered
        self.ends = []       # of processes that had served, in order
        self.faults = []
        self.counts = collections.Counter()
        self.oldest_loss = 0.0

    def fault(self, text):
        self.faults.append(text)

    # While it runs

    def send(self, where, sender, is_sync, now):
        sent = Sent(len(self.sent) + 1, where, is_sync, sender, now)
        self.sent[sent.id] = sent
        return sent

    def answer(self, sent, now, position=None):
        """`position`: of a publication to a channel; mail has none. An answer may be read after the end of
        the process that gave it: `sent.life` says which it was."""
        sent.is_settled, sent.answered_at, sent.position = True, now, position
        self.counts["sync answered" if sent.is_sync else "answered"] += 1
        if position is not None:
            self.see(sent.where, *position, sent.id, "an answer")
            self.channel(sent.where).answered.append(sent)
        else:
            self.counts["mail answered"] += 1
            if sent.id not in self.mail[sent.where]:
                self.waiting.add(sent.id)

    def channel(self, name):
        if name not in self.channels:
            self.channels[name] = Channel(name)
        return self.channels[name]

    def see(self, name, epoch, offset, identity, who):
        channel = self.channel(name)
        before = channel.seen.setdefault((epoch, offset), identity)
        if before != identity:
            self.fault(f"{name}: {epoch}:{offset} is {before}, and {identity} for {who}")
        if epoch not in channel.top:
            channel.epoch = epoch
        channel.top[epoch] = max(channel.top.get(epoch, 0), offset)

    def receive_mail(self, user, identity):
        mail = self.mail[user]
        mail[identity] = mail.get(identity, 0) + 1
        self.counts["mail delivered" if mail[identity] == 1 else "mail again"] += 1
        self.waiting.discard(identity)
        if identity not in self.sent or self.sent[identity].where != user:
            self.fault(f"{user}: mail {identity} is not for this user")

    # After each start

    def restart(self, name, epoch, top, entries, end):
        """`top`: the channel's offset; `entries`: (offset, id) of the whole history; `end`: of the process
        before, None at first."""
        channel = self.channel(name)
        offsets = [offset for offset, _ in entries]
        if offsets and offsets != list(range(offsets[0], top + 1)):
            self.fault(f"{name}: the history up to {top} has holes: {holes(offsets)}")
        ids = [identity for _, identity in entries]
        if len(set(ids)) != len(ids):
            twice = [one for one, count in collections.Counter(ids).items() if count > 1]
            self.fault(f"{name}: twice in the history: {twice[:5]}")
        self.check_epoch(channel, epoch, top, end)
        for offset, identity in entries:
            self.see(name, epoch, offset, identity, "the history")
        self.check_old(channel, ids)
        self.check_answered(channel, set(ids), end)
        channel.kept, channel.answered = ids, []
        channel.epoch = epoch if top > 0 else None

    def check_epoch(self, channel, epoch, top, end):
        if end is None or channel.epoch is None:
            return
        is_same = epoch == channel.epoch
        self.counts["epochs continued" if is_same else "epochs begun"] += 1
        if end.loses_nothing and not is_same:
            self.fault(f"{channel.name}: a new epoch though nothing was lost: {end}")
        if is_same and channel.top.get(epoch, 0) > top:
            self.fault(f"{channel.name}: the epoch goes on after {top}, "
                       f"but somebody saw {channel.top[epoch]}")
        if not is_same and epoch in channel.top:
            self.fault(f"{channel.name}: the epoch {epoch} was over, and is back")

    def check_old(self, channel, ids):
        """What was kept at the last start is there, or made room for what came since."""
        if not channel.kept:
            return
        at = channel.kept.index(ids[0]) if ids and ids[0] in channel.kept else len(channel.kept)
        old = channel.kept[at:]
        if ids[:len(old)] != old:
            self.fault(f"{channel.name}: old ones are missing or have changed")
        if at > 0 and len(ids) < self.keeps:
            self.fault(f"{channel.name}: {at} old ones are gone, though there is room")

    def check_answered(self, channel, ids, end):
        """`ids`: of the history."""
        if len(channel.answered) >= self.keeps:
            self.fault(f"{channel.name}: so much was published that nothing can be said")
            return
        for sent in channel.answered:
            if sent.id not in ids:
                self.lose(sent, f"{channel.name}: {sent.id} at {sent.position}", end)

    def lose(self, sent, what, end):
        self.counts["lost"] += 1
        if sent.is_sync:
            self.fault(f"{what}: answered with sync, and gone")
        elif end.loses_nothing:
            self.fault(f"{what}: gone though nothing may be: {end}")
        else:
            age = end.at - sent.answered_at
            self.oldest_loss = max(self.oldest_loss, age)
            if age > self.interval + self.slack:
                self.fault(f"{what}: answered {age:.3f} s before the end, and gone")

    # When everybody has fetched mail

    def check_mail(self):
        for identity in sorted(self.waiting):
            sent = self.sent[identity]
            # Lost with the process that answered, or never: what survives its end is on disk.
            end = self.ends[sent.life] if sent.life < len(self.ends) else None
            if sent.is_live:
                self.counts["mail to who was there, lost"] += 1
            elif end is None:
                self.fault(f"{sent.where}: mail {identity} is gone, and its process lives")
            else:
                before = len(self.faults)
                self.lose(sent, f"{sent.where}: mail {identity}", end)
                if len(self.faults) > before:
                    self.explain(sent)
        for user, mail in self.mail.items():
            self.check_mail_order(user, mail)

    def explain(self, sent):
        """Adds what happened around a loss to the last fault, in seconds since the answer."""
        near = [(at - sent.answered_at, what) for at, what in self.notes[sent.where]]
        near += [(end.at - sent.answered_at, "end") for end in self.ends]
        said = ", ".join(f"{at:.3f} {what}" for at, what in sorted(near) if -1 < at < 4)
        self.faults[-1] += f" (sent {sent.sent_at - sent.answered_at:.3f}; {said})"

    def check_mail_order(self, user, mail):
        """Mail of one sender comes in its order; what comes again may be out of it."""
        last = {}
        for identity in mail:  # in the order of first deliveries
            sent = self.sent.get(identity)
            if sent is None or sent.tries > 1:
                continue
            if last.get(sent.sender, 0) > identity:
                self.fault(f"{user}: mail {identity} came after {last[sent.sender]}")
            last[sent.sender] = max(last.get(sent.sender, 0), identity)


def holes(offsets):
    return [(before, after) for before, after in zip(offsets, offsets[1:]) if after != before + 1][:5]


class Follower:
    """What one subscriber saw of one channel: its position, and whether that went on as promised."""

    def __init__(self, books, name, who):
        self.books, self.name, self.who = books, name, who
        self.epoch, self.offset = None, 0

    def subscribed(self, epoch, offset, recovered, was_recovering, publications):
        """An answer to a subscription; `publications`: (offset, id)."""
        if not was_recovering:
            self.epoch, self.offset = epoch, offset
            return
        if recovered:
            if epoch != self.epoch:
                self.books.fault(f"{self.name}: {self.who} recovered from {self.epoch} into {epoch}")
            self.books.counts["recoveries"] += 1
            for at, identity in publications:
                self.publication(at, identity)
        else:
            self.books.counts["not recovered, same epoch" if epoch == self.epoch
                              else "not recovered, new epoch"] += 1
            self.epoch, self.offset = epoch, offset

    def publication(self, offset, identity):
        self.books.see(self.name, self.epoch, offset, identity, self.who)
        if offset != self.offset + 1:
            self.books.fault(f"{self.name}: {self.who} got {self.epoch}:{offset} after {self.offset}")
        self.offset = offset
        self.books.counts["heard"] += 1
