// npm `centrifuge` against the gateway: argument 1 is a JSON object with url, token and user. Says
// "ready" when everything that needs no lost connection has been checked, and "done" at the end.
'use strict';
const assert = require('assert');
const {Centrifuge} = require('centrifuge');
const WebSocket = require('ws');

const {url, tokens, user} = JSON.parse(process.argv[2]);

const within = (promise, what) => Promise.race([
  promise,
  new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what}`)), 20000)),
]);
const event = (emitter, name) => within(new Promise(resolve => emitter.once(name, resolve)), name);

async function main() {
  let asked = 0;
  const client = new Centrifuge(url, {
    websocket: WebSocket, minReconnectDelay: 50, maxReconnectDelay: 200,
    getToken: async () => tokens[Math.min(asked++, tokens.length - 1)],
  });
  const mail = [];
  client.on('publication', ctx => mail.push(ctx));
  client.connect();
  const connected = await event(client, 'connected');
  assert.match(connected.client, /^[0-9a-f-]{36}$/);

  const sub = client.newSubscription('hist:1', {joinLeave: true});
  const heard = [];
  const joined = [];
  const subscriptions = [];
  sub.on('publication', ctx => heard.push(ctx));
  sub.on('join', ctx => joined.push(ctx));
  sub.on('subscribed', ctx => subscriptions.push(ctx));
  sub.subscribe();
  await event(sub, 'subscribed');
  assert.strictEqual(subscriptions[0].recoverable, true);
  assert.strictEqual(subscriptions[0].positioned, true);

  await within(sub.publish({text: 'first'}), 'publish');
  assert.deepStrictEqual(heard[0].data, {text: 'first'});
  assert.strictEqual(heard[0].info.client, connected.client);
  assert.strictEqual(heard[0].info.user, user);
  assert.deepStrictEqual(heard[0].info.connInfo, {name: 'Alice'});
  const presence = await within(sub.presence(), 'presence');
  assert.deepStrictEqual(Object.keys(presence.clients), [connected.client]);
  const stats = await within(sub.presenceStats(), 'presence stats');
  assert.deepStrictEqual([stats.numClients, stats.numUsers], [1, 1]);
  const history = await within(sub.history({limit: 10}), 'history');
  assert.deepStrictEqual(history.publications.map(one => one.data), [{text: 'first'}]);
  assert.strictEqual(history.offset, 1);
  assert.strictEqual(joined[0].info.client, connected.client);

  const refused = client.newSubscription('nope:1');
  refused.subscribe();
  assert.strictEqual((await event(refused, 'unsubscribed')).code, 102);
  await assert.rejects(client.rpc('m', {}), error => error.code === 104);

  console.log('ready');
  const last = new Promise(resolve => sub.on('publication', ctx => ctx.data === 'end' && resolve()));
  await within(last, 'last publication');
  assert.deepStrictEqual(heard.map(one => one.data), [{text: 'first'}, 1, 2, 'end']);
  assert.deepStrictEqual(heard.map(one => one.offset), [1, 2, 3, 4]);
  assert.strictEqual(subscriptions.length, 2);
  assert.strictEqual(subscriptions[1].wasRecovering, true);
  assert.strictEqual(subscriptions[1].recovered, true);

  for (let i = 0; mail.length === 0 && i < 200; ++i) await new Promise(r => setTimeout(r, 50));
  assert.strictEqual(mail[0].channel, `#${user}`);
  assert.strictEqual(mail[0].data.n, 7);
  for (let i = 0; asked < 2 && i < 200; ++i) await new Promise(r => setTimeout(r, 50));
  assert.ok(asked >= 2, 'the token was refreshed');
  assert.strictEqual(client.state, 'connected');
  sub.unsubscribe();
  client.disconnect();
  console.log('done');
}

main().then(() => process.exit(0), error => {
  console.log(error.stack);
  process.exit(1);
});
