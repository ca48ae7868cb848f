// The dialects with npm `ws`; the port is the argument. Exits 1 at the first wrong answer.
"use strict";
const assert = require("assert");
const inbox = require("./ws_inbox.js");

const base = `ws://127.0.0.1:${process.argv[2]}`;
const open = path => inbox.open(base + path);
const next = inbox.next;

async function main() {
  const echo = await open("/");
  for (const text of ["", "hello", "你好", "x".repeat(70000)]) {
    echo.send(text);
    assert.strictEqual(await next(echo), text);
  }
  echo.send("fragmented ", { fin: false });
  echo.ping("between");
  echo.send("message", { fin: true });
  assert.strictEqual((await new Promise(resolve => echo.once("pong", resolve))).toString(), "between");
  assert.strictEqual(await next(echo), "fragmented message");
  echo.close(4001, "bye");
  assert.strictEqual(await new Promise(resolve => echo.on("close", resolve)), 4001);

  const a = await open("/chat");
  const b = await open("/chat");
  const said = JSON.stringify({ msg_type: "message", nickname: "a", message: "hi" });
  a.send(said);
  assert.strictEqual(await next(a), said);
  assert.strictEqual(await next(b), said);

  const toy = await open("/sendone");
  const app = await open("/sendone");
  toy.send(JSON.stringify({ msg_type: "accept_", toy_id: "T1" }));
  toy.send(JSON.stringify({ msg_type: "send_", to_user: "T1", ready: true }));
  assert.strictEqual(JSON.parse(await next(toy)).ready, true);
  app.send(JSON.stringify({ msg_type: "send_", to_user: "T1", from_user: "A1", message: "go" }));
  assert.strictEqual(JSON.parse(await next(toy)).message, "go");
  for (const socket of [a, b, toy, app]) socket.close();
}

const timer = setTimeout(() => { console.error("timed out"); process.exit(1); }, 30000);
main().then(() => clearTimeout(timer), error => { console.error(error); process.exit(1); });
