"""PyPI `centrifuge-python` against the gateway; as centrifuge_client.js."""

import asyncio
import json
import sys

from centrifuge import (Client, ClientEventHandler, ConnectedContext, PublicationContext,
                        ServerPublicationContext, SubscribedContext, SubscriptionEventHandler)

SECONDS = 20


class Clients(ClientEventHandler):
    def __init__(self):
        self.connected = asyncio.get_running_loop().create_future()
        self.mail = []

    async def on_connected(self, ctx: ConnectedContext):
        if not self.connected.done():
            self.connected.set_result(ctx)

    async def on_publication(self, ctx: ServerPublicationContext):
        self.mail.append(ctx)


class Subscriptions(SubscriptionEventHandler):
    def __init__(self):
        self.subscribed = []
        self.heard = []
        self.end = asyncio.get_running_loop().create_future()

    async def on_subscribed(self, ctx: SubscribedContext):
        self.subscribed.append(ctx)

    async def on_publication(self, ctx: PublicationContext):
        self.heard.append(ctx.pub)
        if ctx.pub.data == "end":
            self.end.set_result(None)


async def eventually(condition, what):
    for _ in range(SECONDS * 20):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"no {what}")


async def main(url, tokens, user):
    asked = 0

    async def get_token():
        nonlocal asked
        asked += 1
        return tokens[min(asked, len(tokens)) - 1]

    events = Clients()
    client = Client(url, events=events, get_token=get_token, min_reconnect_delay=0.05,
                    max_reconnect_delay=0.2)
    await client.connect()
    own = (await asyncio.wait_for(events.connected, SECONDS)).client
    channel = Subscriptions()
    sub = client.new_subscription("hist:1", events=channel)
    await sub.subscribe()
    await eventually(lambda: channel.subscribed, "subscription")
    assert channel.subscribed[0].recoverable and channel.subscribed[0].positioned

    await sub.publish({"text": "first"})
    await eventually(lambda: channel.heard, "publication")
    assert channel.heard[0].data == {"text": "first"}
    assert channel.heard[0].info.client == own and channel.heard[0].info.user == user
    assert list((await sub.presence()).clients) == [own]
    stats = await sub.presence_stats()
    assert (stats.num_clients, stats.num_users) == (1, 1)
    history = await sub.history(limit=10)
    assert [one.data for one in history.publications] == [{"text": "first"}]
    assert history.offset == 1

    print("ready", flush=True)
    await asyncio.wait_for(channel.end, SECONDS)
    assert [one.data for one in channel.heard] == [{"text": "first"}, 1, 2, "end"], channel.heard
    assert [one.offset for one in channel.heard] == [1, 2, 3, 4]
    assert len(channel.subscribed) == 2
    assert channel.subscribed[1].was_recovering and channel.subscribed[1].recovered
    await eventually(lambda: events.mail, "mail")
    assert events.mail[0].channel == f"#{user}" and events.mail[0].pub.data["n"] == 7
    await eventually(lambda: asked >= 2, "refresh")
    await client.disconnect()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))
