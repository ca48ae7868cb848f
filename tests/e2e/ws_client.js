// The dialects with npm `ws`; the port is the argument. Exits 1 at the first wrong answer.
"use strict";
const assert = require("assert");
const WebSocket = require("ws");

const base = `ws://127.0.0.1:${process.argv[2]}`;
const open = path => new Promise((resolve, reject) => {
  const socket = new WebSocket(base + path);
  socket.queue = [];
  socket.waiting = [];
  socket.on("message", (data, isBinary) => {
    const message = isBinary ? data : data.toString();
    if (socket.waiting.length) socket.waiting.shift()(message); else socket.queue.push(message);
  });
  socket.on("open", () => resolve(socket));
  socket.on("error", reject);
});
const next = socket => socket.queue.length ? Promise.resolve(socket.queue.shift())
  : new Promise(resolve => socket.waiting.push(resolve));

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
