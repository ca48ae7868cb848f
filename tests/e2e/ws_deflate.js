// permessage-deflate with npm `ws` in all of its settings; the port is the argument. Exits 1 at the
// first wrong answer.
"use strict";
const assert = require("assert");
const crypto = require("crypto");
const inbox = require("./ws_inbox.js");

const base = `ws://127.0.0.1:${process.argv[2]}`;
const settings = [
  {}, { serverNoContextTakeover: true }, { clientNoContextTakeover: true },
  { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 15, serverMaxWindowBits: 15 },
  ...[9, 10, 12].map(serverMaxWindowBits => ({ serverMaxWindowBits })),
  { serverMaxWindowBits: 8, clientNoContextTakeover: true },
];

const open = (path, perMessageDeflate) => inbox.open(base + path, { perMessageDeflate });
const next = inbox.next;

async function main() {
  const phrases = JSON.stringify({ msg_type: "message", message: "said again and again ".repeat(40) });
  const messages = ["", "a", "你好".repeat(500), phrases, phrases, "x".repeat(70000), phrases,
                    crypto.randomBytes(3000), Buffer.alloc(1 << 20), crypto.randomBytes(200000)];
  let agreed = 0;
  for (const setting of settings) {
    const echo = await open("/", { threshold: 0, ...setting });
    if (echo.extensions) ++agreed;
    for (const message of messages) {
      echo.send(message);
      assert.deepStrictEqual(await next(echo), message, JSON.stringify(setting));
    }
    echo.send("fragmented ".repeat(100), { fin: false });
    echo.ping("between");
    echo.send("message", { fin: true });
    assert.strictEqual(await next(echo), "fragmented ".repeat(100) + "message");
    echo.close(4001, "bye");
    assert.strictEqual(await new Promise(resolve => echo.on("close", resolve)), 4001);
  }
  assert(agreed >= 5, `only ${agreed} settings were agreed on`);

  const people = [];
  for (const setting of [...settings, false]) people.push(await open("/chat", setting));
  for (let n = 0; n < 30; ++n) {
    const said = JSON.stringify({ msg_type: "message", n, message: "what everybody hears ".repeat(n * 4) });
    people[n % people.length].send(said);
    for (const person of people) assert.strictEqual(await next(person), said);
  }
  for (const person of people) person.close();
}

const timer = setTimeout(() => { console.error("timed out"); process.exit(1); }, 60000);
main().then(() => clearTimeout(timer), error => { console.error(error); process.exit(1); });
