// npm `centrifuge` in a page that can lose its network. OFFLINE_SECONDS says for how long it does.
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

// What a client of our own has published there, and of how much it has the answer.
class Publisher {
  published = 0;
  #client;
  #pongs = 0;

  async connect(desk) {
    this.#client = await desk.client("/connection/websocket");
    this.#client.say({ id: 1, connect: {} });
    this.#pongs = 0;
    return this;
  }

  publish() {
    const pings = this.#client.heard.filter(one => Object.keys(one).length === 0).length;
    for (; this.#pongs < pings; ++this.#pongs) this.#client.say({});
    const data = ++this.published;
    this.#client.say({ id: data + 1, publish: { channel: CHANNEL, data } });
  }

  async answered() {
    const last = this.published + 1;
    while (!this.#client.heard.some(one => one.id === last && one.publish)) {
      await new Promise(done => setTimeout(done, 10));
    }
  }
}

// Publishes `count` over `seconds`.
async function spread(publisher, count, seconds) {
  const until = Date.now() + seconds * 1000;
  for (let n = 1; n <= count; ++n) {
    publisher.publish();
    const pause = (until - Date.now()) / (count - n + 1);
    await new Promise(done => setTimeout(done, Math.max(pause, 0)));
  }
}

// All of `count` has been heard, in order, once, and what was missed was recovered.
async function check(page, count) {
  const { heard, told } = await page.evaluate(() => ({ heard, told }));
  assert.deepStrictEqual(heard, Array.from({ length: count }, (_, n) => [n + 1, n + 1]));
  assert.deepStrictEqual(told.filter(one => one !== "connecting"),
                         [{ was: false, recovered: false }, { was: true, recovered: true }]);
}

const hears = (page, count) => page.waitForFunction(n => heard.length === n, count);

// A page hears three messages, loses its network, `meanwhile(publisher, page)` publishes MISSED more, and
// when it is back it has heard all of them, and the next.
async function misses_nothing(desk, meanwhile) {
  const way = await proxy(new URL(desk.base).port);
  const page = await open(desk, await desk.person(), way.port);
  const publisher = await new Publisher().connect(desk);
  for (let n = 0; n < 3; ++n) publisher.publish();
  await hears(page, 3);
  await page.context().setOffline(true);
  way.cut(true);
  await page.waitForFunction(() => told.length === 3);
  await meanwhile(publisher, page);
  way.cut(false);
  await page.context().setOffline(false);
  await hears(page, 3 + MISSED);
  publisher.publish();
  await hears(page, 4 + MISSED);
  await check(page, publisher.published);
  way.close();
}

module.exports = { MISSED, misses_nothing, OFFLINE_SECONDS, spread };
