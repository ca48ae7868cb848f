"""What is kept: the history of the chat, and mailboxes of users who are away."""

import asyncio
import json
import unittest
import urllib.request

import websockets

from gateway import Gateway

BACKENDS = ("io_uring", "epoll")
SECONDS = 10


def get(gateway, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}{path}", timeout=10) as answer:
        return answer.read().decode()


async def receive(client):
    return await asyncio.wait_for(client.recv(), SECONDS)


class Store(unittest.IsolatedAsyncioTestCase):
    async def test_the_page_and_its_json_show_what_was_said(self):
        for backend in BACKENDS:
            with self.subTest(backend=backend), Gateway("--shards", "2", "--backend", backend) as gateway:
                async with websockets.connect(gateway.url("/chat")) as client:
                    for n in range(150):
                        text = json.dumps({"msg_type": "message", "nickname": "<i>", "message": f"no {n}"})
                        await client.send(text)
                        self.assertEqual(await receive(client), text)
                page = await asyncio.to_thread(get, gateway, "/")
                self.assertEqual(page.count("<li><b>&lt;i&gt;</b>"), 100)
                self.assertNotIn("no 49<", page)
                self.assertIn("<span>no 50</span>", page)
                history = json.loads(await asyncio.to_thread(get, gateway, "/chat/history"))
                self.assertEqual([m["message"] for m in history["messages"]],
                                 [f"no {n}" for n in range(50, 150)])
                epoch, offset = history["position"].split(":")
                later = json.loads(await asyncio.to_thread(
                    get, gateway, f"/chat/history?after={epoch}:{int(offset) - 2}"))
                self.assertEqual([m["message"] for m in later["messages"]], ["no 148", "no 149"])
                self.assertTrue(later["complete"])
                other = json.loads(await asyncio.to_thread(get, gateway, "/chat/history?after=1:1"))
                self.assertFalse(other["complete"])

    async def test_a_toy_that_was_away_gets_its_messages_in_order_and_once(self):
        for backend in BACKENDS:
            with self.subTest(backend=backend), Gateway("--shards", "2", "--backend", backend) as gateway:
                async with websockets.connect(gateway.url("/sendone")) as app:
                    sent = [json.dumps({"msg_type": "send_", "to_user": "toy", "n": n}) for n in range(50)]
                    for text in sent:
                        await app.send(text)
                    async with websockets.connect(gateway.url("/sendone")) as toy:
                        await toy.send('{"msg_type":"accept_","toy_id":"toy"}')
                        self.assertEqual([await receive(toy) for _ in range(50)], sent)
                    async with websockets.connect(gateway.url("/sendone")) as toy:
                        await toy.send('{"msg_type":"accept_","toy_id":"toy"}')
                        await app.send(sent[0])
                        self.assertEqual(await receive(toy), sent[0])


if __name__ == "__main__":
    unittest.main()
