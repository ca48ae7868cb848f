// The chat page and what was said while it was away. Once with the gateway's own history; then the test
// plays the history, answers /chat/history and writes into the page what a gateway writes there, so
// that answers come when and as it wants them.
"use strict";
const assert = require("assert");

const said = (message, more = {}) => ({ msg_type: "message", nickname: "far", message, ...more });
const texts = page => page.locator("#log li:not(.note) span").allTextContents();
const shown = (page, text) => page.locator("#log li:not(.note) span", { hasText: text }).first().waitFor();
const kStored = '<li><b>far</b><span>old &lt;i&gt;one&lt;/i&gt;</span><time>yesterday</time></li>' +
  '<li class="robot"><b>Xiaobing</b><span>old two</span></li><li><b>me</b><span>old mine</span></li>';

// Gives the page a stored history at `position`; `answer(after, asked)` answers what is fetched.
function play(position, answer, stored = kStored) {
  const asked = [];
  const route = async page => {
    await page.route(url => url.pathname === "/", async route => {
      const response = await route.fetch();
      const body = (await response.text()).replace(/<ol id="log" [^]*?<\/ol>/,
        `<ol id="log" data-position="${position}">${stored}</ol>`);
      await route.fulfill({ response, body });
    });
    await page.route("**/chat/history?*", async route => {
      const after = new URL(route.request().url()).searchParams.get("after");
      asked.push(after);
      const result = await answer(after, asked.length);
      if (result === "broken") await route.fulfill({ status: 503, body: "busy" });
      else if (result === null) await route.fulfill({ status: 404, body: "no" });
      else await route.fulfill({ status: 200, json: result });
    });
  };
  return { asked, route };
}

const nothing = position => ({ position, complete: true, messages: [] });

async function restart(desk, page) {
  await desk.gateway("stop");
  await page.locator("#state[data-state=off]").waitFor();
  await page.locator("#trouble").waitFor();
  await desk.gateway("start");
  await page.locator("#state[data-state=on]").waitFor();
}

async function what_was_said_before_and_meanwhile_stands_once(desk) {
  const other = await desk.client();
  const tell = async (...all) => {
    const before = other.heard.length;
    for (const text of all) other.say(said(text));
    while (other.heard.length < before + all.length) await new Promise(done => setTimeout(done, 5));
  };
  await tell("one <i>", "two");
  let isAway = false, cut;
  const route = page => page.routeWebSocket("**/chat", socket => {
    if (isAway) return socket.close();
    socket.connectToServer();
    cut = () => socket.close();
  });
  const page = await desk.chat({ route });
  assert.deepStrictEqual(await texts(page), ["one <i>", "two"]);
  await tell("three");
  await shown(page, "three");
  isAway = true;
  await cut();
  await page.locator("#state[data-state=off]").waitFor();
  await tell("four", "five");
  isAway = false;
  await shown(page, "five");
  await tell("six");
  await shown(page, "six");
  assert.deepStrictEqual(await texts(page), ["one <i>", "two", "three", "four", "five", "six"]);
  assert.strictEqual(await page.locator("#log .warn").count(), 0);
  // Another epoch: what was stored is gone, and the page says so.
  await restart(desk, page);
  await page.locator("#log .warn", { hasText: "Older messages are gone" }).waitFor();
}

async function the_stored_history_is_text_and_dressed(desk) {
  const context = await desk.person();
  await context.addInitScript(() => sessionStorage.setItem("name", "me"));
  const page = await desk.chat({ context, ...play("e:3", nothing) });
  assert.deepStrictEqual(await texts(page), ["old <i>one</i>", "old two", "old mine"]);
  const lines = page.locator("#log li:not(.note)");
  assert.strictEqual(await lines.nth(0).locator("time").textContent(), "yesterday");
  assert.deepStrictEqual(await lines.evaluateAll(all => all.map(line => line.className)), ["", "robot", "mine"]);
}

// What is in the history and came live, too, stands once; the next question counts the live ones.
async function history_and_live_messages_merge_without_doubles(desk) {
  let other, page;
  const sent = new Promise(done => { other = done; });
  const history = play("e:3", async (after, count) => {
    if (count > 1) return { position: "e:9", complete: true, messages: [said("nine")] };
    const client = await sent;
    client.say(said("five"));
    client.say(said("six"));
    // Both went out to everybody when their sender has them.
    while (client.heard.length < 2) await new Promise(done => setTimeout(done, 5));
    return { position: "e:5", complete: true, messages: [said("four"), said("five")] };
  });
  page = await desk.chat(history);
  const client = await desk.client();
  other(client);
  await shown(page, "six");
  assert.deepStrictEqual((await texts(page)).slice(3), ["four", "five", "six"]);
  client.say(said("seven"));
  client.say(said("eight", { the_robot: "robot" }));
  await shown(page, "eight");
  await restart(desk, page);
  await shown(page, "nine");
  assert.deepStrictEqual(history.asked, ["e:3", "e:8"]);
  assert.deepStrictEqual((await texts(page)).slice(3), ["four", "five", "six", "seven", "eight", "nine"]);
  assert.strictEqual(await page.locator("#log .warn").count(), 0);
}

async function what_cannot_be_fetched_is_said_and_the_page_goes_on(desk) {
  const broken = play("e:3", () => "broken");
  const incomplete = play("e:3", () => ({ position: "f:1", complete: false, messages: [said("new age")] }));
  const pages = [await desk.chat({ ...broken, allow: ["503"] }), await desk.chat(incomplete)];
  await pages[0].locator("#log .warn", { hasText: "could not be fetched" }).waitFor();
  await pages[1].locator("#log .warn + li", { hasText: "new age" }).waitFor();
  const other = await desk.client();
  other.say(said("still here"));
  for (const page of pages) await shown(page, "still here");
  await restart(desk, pages[0]);
  await pages[1].locator("#state[data-state=on]").waitFor();
  // Without a position there is nothing to ask for; with one it counts what was shown.
  assert.deepStrictEqual([broken.asked, incomplete.asked], [["e:3", "e:3"], ["e:3", "f:2"]]);
}

async function a_gateway_without_a_history_is_as_good(desk) {
  const absent = play("e:3", () => null);
  const never = play("", () => null, "");
  const pages = [await desk.chat({ ...absent, allow: ["404"] }), await desk.chat(never)];
  const other = await desk.client();
  other.say(said("first"));
  for (const page of pages) await shown(page, "first");
  for (const page of pages) assert.strictEqual(await page.locator("#log .warn").count(), 0);
  assert.deepStrictEqual([absent.asked, never.asked], [["e:3"], []]);
}

// What is written or sent while the gateway is away is not lost without a word.
async function unsent_and_unconfirmed_text_survives_a_restart(desk) {
  const page = await desk.chat({ name: "me" });
  await page.locator("#log .note", { hasText: "【connected】" }).waitFor();
  await desk.gateway("stop");
  await page.locator("#log .note", { hasText: "【closed】" }).waitFor();
  assert.strictEqual(await page.textContent("#state"), "【closed】");
  await page.locator("#trouble-text", { hasText: /Trying again in \d+ s/ }).waitFor();
  await page.fill("#text", "patience");
  await page.press("#text", "Enter");
  await page.getByRole("alert").filter({ hasText: "Your text stays here" }).waitFor();
  assert.strictEqual(await page.inputValue("#text"), "patience");
  await desk.gateway("start");
  await page.getByRole("button", { name: "Reconnect now" }).click({ timeout: 2000 }).catch(() => {});
  await page.locator("#state[data-state=on]").waitFor();
  assert.strictEqual(await page.isVisible("#trouble"), false);
  assert.strictEqual(await page.textContent("#problem"), "");
  await page.press("#text", "Enter");
  await shown(page, "patience");
}

// The gateway dies after it took a message and before its echo: the writer decides.
async function a_message_without_an_echo_is_offered_again(desk) {
  let sockets = 0;
  const route = page => page.routeWebSocket("**/chat", socket => {
    const server = socket.connectToServer();
    if (++sockets > 1) return;
    socket.onMessage(text => {
      if (text.includes("swallowed")) socket.close();
      else server.send(text);
    });
  });
  const page = await desk.chat({ route });
  await page.fill("#text", "swallowed");
  await page.press("#text", "Enter");
  await page.locator("#pending .doubtful", { hasText: "This may not have arrived" }).waitFor({ timeout: 7000 });
  assert.deepStrictEqual(await texts(page), ["swallowed"].slice(1));
  await page.getByRole("button", { name: "Send again" }).click();
  await shown(page, "swallowed");
  await page.waitForFunction(() => document.getElementById("pending").children.length === 0);
  assert.deepStrictEqual(await texts(page), ["swallowed"]);
}

// The server says that it dropped messages: the history fills the gap in its place.
async function a_gap_is_filled_from_the_history_or_said(desk) {
  const history = play("e:3", after => after === "e:4"
    ? { position: "e:7", complete: true, messages: [said("five"), said("six"), said("seven")] } : nothing(after));
  const gap = page => page.routeWebSocket("**/chat", socket => {
    const server = socket.connectToServer();
    server.onMessage(text => {
      // Two of three are lost on the way.
      if (text.includes('"five"')) socket.send('{"msg_type":"gap","missed":2}');
      else if (!text.includes('"six"')) socket.send(text);
    });
  });
  const filled = await desk.chat({ route: async page => { await history.route(page); await gap(page); } });
  const none = play("", () => null, "");
  const told = await desk.chat({ route: async page => { await none.route(page); await gap(page); } });
  const other = await desk.client();
  for (const text of ["four", "five", "six", "seven", "eight"]) other.say(said(text));
  for (const page of [filled, told]) await shown(page, "eight");
  assert.deepStrictEqual((await texts(filled)).slice(3), ["four", "five", "six", "seven", "eight"]);
  assert.deepStrictEqual(await texts(told), ["four", "seven", "eight"]);
  assert.strictEqual(await filled.locator("#log .warn").count(), 0);
  assert.strictEqual(await told.locator("#log .warn").textContent(), "2 messages were missed here");
}

module.exports = {
  what_was_said_before_and_meanwhile_stands_once,
  the_stored_history_is_text_and_dressed,
  history_and_live_messages_merge_without_doubles,
  what_cannot_be_fetched_is_said_and_the_page_goes_on,
  a_gateway_without_a_history_is_as_good,
  unsent_and_unconfirmed_text_survives_a_restart,
  a_message_without_an_echo_is_offered_again,
  a_gap_is_filled_from_the_history_or_said,
};
