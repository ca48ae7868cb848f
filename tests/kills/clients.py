"""Those who publish, follow channels and fetch mail while the gateway dies under them.

Each goes on when the gateway is back, and tells the books what it was answered and what it got.
"""

import asyncio
import contextlib
import json
import time

from wire import CLOSE, Broken, Gone, Peer, Unavailable, frame

from books import Follower

KEY = "a key of the tests"
# Of a publication that was not answered: whether it is tried again with the same idempotency key.
RETRY_PERCENT = 80


async def enter(peer, dialect):
    """Opens it. A gateway that stops says so."""
    try:
        await peer.open(dialect)
    except Unavailable:
        raise Gone("it stops") from None


class Api:
    """One connection to the server API, kept alive; an end is Gone."""

    def __init__(self, world):
        self.world = world
        self.streams = None

    async def call(self, method, body):
        """(status, answer)."""
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.world.process.ports["ops"])
            reader, writer = self.streams
            data = json.dumps(body).encode()
            writer.write(f"POST /api/{method} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n"
                         f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            answer = await reader.readexactly(int(fields["content-length"]))
            status = int(head.split(" ", 2)[1])
            if status == 503 and not self.world.is_up.is_set():
                raise Gone("it stops")
            return status, json.loads(answer)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Gone(str(error)) from None

    def close(self):
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


class World:
    """What clients share. `is_up`: set while they may use the gateway; `is_over`: they finish."""

    def __init__(self, process, books, rng):
        self.process, self.books, self.rng = process, books, rng
        self.is_up = asyncio.Event()
        self.is_over = False
        self.calls = 0       # to the API, under way
        self.online = set()  # users who are there, coming or going

    async def pause(self, seconds):
        await asyncio.sleep(self.rng.random() * seconds)


async def publish(world, where, sender, is_sync):
    """Publishes one message to a channel or, with `where` as user://NAME, to a user, until it is settled."""
    books = world.books
    sent = books.send(where, sender.name, is_sync, time.monotonic())
    body = {"data": {"i": sent.id, "by": sender.name}, "idempotency_key": f"{where}-{sent.id}"}
    body |= {"sync": True} if is_sync else {}
    body |= {"user": where[len("user://"):]} if where.startswith("user://") else {"channel": where}
    while not sent.is_settled:
        await world.is_up.wait()
        sent.tries += 1
        sent.life = len(books.ends)
        sent.is_live |= where in world.online
        world.calls += 1
        try:
            status, answer = await sender.api.call("publish", body)
        except Gone:
            if world.rng.random() * 100 >= RETRY_PERCENT:
                sent.is_settled = True
                books.counts["given up"] += 1
            else:
                books.counts["tried again"] += 1
            continue
        finally:
            world.calls -= 1
        sent.is_live |= where in world.online
        if "result" not in answer:
            books.fault(f"{where}: publishing is refused: {status} {answer}")
            sent.is_settled = True
            return
        result = answer["result"]
        position = (result["epoch"], result["offset"]) if "epoch" in result else None
        books.answer(sent, time.monotonic(), position)


class Publisher:
    """Publishes to channels and users, one after the other, over the API."""

    def __init__(self, world, name, targets, is_sync, pause):
        self.world, self.name, self.targets = world, name, targets
        self.is_sync, self.pause_seconds = is_sync, pause
        self.api = Api(world)

    async def run(self):
        while not self.world.is_over:
            await publish(self.world, self.world.rng.choice(self.targets), self, self.is_sync)
            await self.world.pause(self.pause_seconds)
        self.api.close()


class Subscriber:
    """A client of the Centrifuge protocol that follows channels, and recovers when it comes back."""

    def __init__(self, world, name, channels):
        self.world, self.name = world, name
        self.channels = {channel: Follower(world.books, channel, name) for channel in channels}

    async def run(self):
        while not self.world.is_over:
            await self.world.is_up.wait()
            with Peer(self.world.process.ports["clients"]) as peer:
                with contextlib.suppress(Gone, OSError):
                    await self.follow(peer)
            await self.world.pause(0.05)

    async def follow(self, peer):
        await enter(peer, "centrifuge")
        commands = [{"id": 1, "connect": {}}]
        names = list(self.channels)
        for number, name in enumerate(names, 2):
            follower = self.channels[name]
            wish = {"channel": name}
            if follower.epoch is not None:
                wish |= {"recover": True, "epoch": follower.epoch, "offset": follower.offset}
            commands.append({"id": number, "subscribe": wish})
        await peer.say("\n".join(map(json.dumps, commands)))
        leaves_at = time.monotonic() + self.world.rng.random() * 2
        async for _, payload in peer.messages():
            for line in payload.decode().split("\n"):
                if line and not self.take(json.loads(line), names):
                    await peer.say("{}")
            if time.monotonic() > leaves_at:
                return

    def take(self, message, names):
        """False: a ping, to be answered."""
        if not message:
            return False
        if "error" in message:
            raise Broken(f"{self.name}: {message}")
        if "subscribe" in message:
            answer = message["subscribe"]
            self.channels[names[message["id"] - 2]].subscribed(
                answer["epoch"], answer.get("offset", 0), answer.get("recovered", False),
                answer.get("was_recovering", False),
                [(one["offset"], one["data"]["i"]) for one in answer.get("publications", ())])
        elif "pub" in message.get("push", {}):
            push = message["push"]
            self.channels[push["channel"]].publication(push["pub"]["offset"], push["pub"]["data"]["i"])
        elif "unsubscribe" in message.get("push", {}):
            raise Gone("a hole")  # it comes back, and recovers
        return True


class Reader:
    """A user of the relay who comes and goes. A slow one has little room, and looks away for a while."""

    def __init__(self, world, name, is_slow):
        self.world, self.name, self.is_slow = world, name, is_slow
        self.where = f"user://{name}"

    async def run(self):
        while not self.world.is_over:
            await self.world.pause(0.6)
            await self.world.is_up.wait()
            await self.be_there(time.monotonic() + self.world.rng.random() * 0.5)

    async def be_there(self, until):
        """Reads until the moment, then leaves so that nothing on the way is lost: Close, and all before its echo."""
        self.world.online.add(self.where)
        self.note("comes")
        with Peer(self.world.process.ports["clients"], 4096 if self.is_slow else None) as peer:
            try:
                await enter(peer, "relay")
                await peer.say(json.dumps({"msg_type": "accept_", "toy_id": self.name}))
                if self.is_slow:
                    await self.world.pause(0.3)
                leaving = asyncio.create_task(self.leave(peer, until))
                try:
                    async for _, payload in peer.messages():
                        self.world.books.receive_mail(self.where, json.loads(payload)["i"])
                finally:
                    leaving.cancel()
            except (Gone, OSError) as end:
                self.note(f"gone: {end}")
        self.world.online.discard(self.where)

    def note(self, what):
        self.world.books.notes[self.where].append((time.monotonic(), what))

    async def leave(self, peer, until):
        await asyncio.sleep(max(0, until - time.monotonic()))
        with contextlib.suppress(Gone):
            self.note("leaves")
            await peer.send(frame(CLOSE, b"\x03\xe8"))


class Sender:
    """A client of the relay that writes to users. Nobody answers it, so its messages may go."""

    def __init__(self, world, name, users, pause):
        self.world, self.name, self.users, self.pause_seconds = world, name, users, pause

    async def run(self):
        while not self.world.is_over:
            await self.world.is_up.wait()
            with Peer(self.world.process.ports["clients"]) as peer:
                with contextlib.suppress(Gone, OSError):
                    await enter(peer, "relay")
                    while self.world.is_up.is_set() and not self.world.is_over:
                        where = self.world.rng.choice(self.users)
                        sent = self.world.books.send(where, self.name, False, time.monotonic())
                        await peer.say(json.dumps({
                            "msg_type": "send_", "to_user": where[len("user://"):], "i": sent.id}))
                        self.world.books.counts["sent over the relay"] += 1
                        await self.world.pause(self.pause_seconds)


async def history(api, channel):
    """(epoch, offset, [(offset, id)]) of all that the channel keeps."""
    status, first = await api.call("history", {"channel": channel, "limit": -1})
    if "result" not in first:
        raise Broken(f"history of {channel}: {status} {first}")
    result = first["result"]
    epoch, top = result["epoch"], result.get("offset", 0)
    entries = [(one["offset"], one["data"]["i"]) for one in result["publications"]]
    while entries and entries[-1][0] < top:
        _, more = await api.call("history", {"channel": channel, "limit": -1, "since": {
            "epoch": epoch, "offset": entries[-1][0]}})
        later = [(one["offset"], one["data"]["i"]) for one in more["result"]["publications"]]
        if not later:
            raise Broken(f"history of {channel} ends at {entries[-1][0]}, its position is {top}")
        entries += later
    return epoch, top, entries
