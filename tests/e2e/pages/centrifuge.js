// npm `centrifuge` in a page that loses its network while much is published: it comes back without a
// hole. OFFLINE_SECONDS says for how long it is away.
"use strict";
const assert = require("assert");
const net = require("net");
const path = require("path");

const OFFLINE_SECONDS = Number(process.env.OFFLINE_SECONDS || 3);
const MISSED = 250;  // of the 300 that a client may miss
const CHANNEL = "hist:1";

// Passes bytes on to the gateway, until it is cut: then it drops what it has and lets nobody through.
async function proxy(port) {
  const sockets = new Set();
  let isCut = false;
  const server = net.createServer(near => {
    if (isCut) return near.destroy();
    const far = net.connect(port, "127.0.0.1");
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => { sockets.delete(socket); other.destroy(); });
      socket.pipe(other);
    }
  });
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  return {
    port: server.address().port,
    cut(value) {
      isCut = value;
      if (isCut) for (const socket of sockets) socket.destroy();
    },
    close() { this.cut(true); server.close(); },
  };
}

// A page of our own with the client in it, which has one subscription.
async function open(desk, context, port) {
  const page = await context.newPage();
  page.setDefaultTimeout((OFFLINE_SECONDS + 60) * 1000);
  page.on("pageerror", error => desk.faults.push(`error: ${error.stack}`));
  const url = `http://127.0.0.1:${port}/quick`;
  await page.route(url, route => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  await page.goto(url);
  const folder = path.dirname(require.resolve("centrifuge"));
  await page.addScriptTag({ path: path.join(folder, "..", "dist", "centrifuge.js") });
  await page.evaluate(([channel]) => {
    window.heard = [];
    window.told = [];
    const client = new Centrifuge(`ws://${location.host}/connection/websocket`,
      { minReconnectDelay: 100, maxReconnectDelay: 500 });
    client.on("connecting", () => told.push("connecting"));
    const sub = client.newSubscription(channel);
    sub.on("publication", ctx => heard.push([ctx.offset, ctx.data]));
    sub.on("subscribed", ctx => told.push({ was: ctx.wasRecovering, recovered: ctx.recovered }));
    sub.subscribe();
    client.connect();
  }, [CHANNEL]);
  await page.waitForFunction(() => told.length === 2);
  return page;
}

async function what_was_published_while_the_page_was_offline_comes_without_a_hole(desk) {
  const way = await proxy(new URL(desk.base).port);
  const context = await desk.person();
  const page = await open(desk, context, way.port);
  const publisher = await desk.client("/connection/websocket");
  publisher.say({ id: 1, connect: {} });
  let published = 0;
  let pongs = 0;
  const publish = () => {
    const pings = publisher.heard.filter(one => Object.keys(one).length === 0).length;
    for (; pongs < pings; ++pongs) publisher.say({});
    publisher.say({ id: published + 2, publish: { channel: CHANNEL, data: ++published } });
  };
  const all = count => page.waitForFunction(n => heard.length === n, count);

  for (let n = 0; n < 3; ++n) publish();
  await all(3);
  await context.setOffline(true);
  way.cut(true);
  await page.waitForFunction(() => told.length === 3);
  const until = Date.now() + OFFLINE_SECONDS * 1000;
  for (let n = 1; n <= MISSED; ++n) {
    publish();
    const pause = (until - Date.now()) / (MISSED - n + 1);
    await new Promise(done => setTimeout(done, Math.max(pause, 0)));
  }
  assert.strictEqual(await page.evaluate(() => heard.length), 3, "it is offline");
  way.cut(false);
  await context.setOffline(false);
  await all(3 + MISSED);
  publish();
  await all(4 + MISSED);

  const { heard, told } = await page.evaluate(() => ({ heard, told }));
  const expected = Array.from({ length: published }, (_, n) => [n + 1, n + 1]);
  assert.deepStrictEqual(heard, expected);
  assert.deepStrictEqual(told.filter(one => one !== "connecting"),
                         [{ was: false, recovered: false }, { was: true, recovered: true }]);
  way.close();
}

module.exports = { what_was_published_while_the_page_was_offline_comes_without_a_hole };
