// The relay's page with the real gateway.
"use strict";
const assert = require("assert");

async function identified(desk, own, options) {
  const page = await desk.open("/toy", options);
  await page.locator("#state[data-state=on]").waitFor();
  await page.fill("#own", own);
  await page.press("#own", "Enter");
  return page;
}

async function say(page, to, text) {
  await page.fill("#to", to);
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

async function a_message_travels_and_is_answered(desk) {
  const toy = await identified(desk, "toy-1");
  const app = await identified(desk, "app-1", { locale: "zh-CN" });
  await toy.getByText("You are toy-1").waitFor();
  await app.getByText("您现在是 app-1").waitFor();
  // accept_ is not answered; a message to oneself proves that it was heard.
  await say(toy, "toy-1", "ready");
  await toy.locator("#log .came .what", { hasText: "ready" }).waitFor();
  await say(app, "toy-1", "前进 <i>!</i>");
  const line = toy.locator("#log .came").first();
  await line.locator(".what", { hasText: "前进 <i>!</i>" }).waitFor();
  assert.strictEqual(await line.locator("b").textContent(), "app-1");
  assert.strictEqual(await line.locator(".way").textContent(), "← from");
  const went = app.locator("#log .went").first();
  assert.deepStrictEqual([await went.locator(".way").textContent(), await went.locator("b").textContent()],
                         ["→ 发出", "toy-1"]);
  await line.getByRole("button", { name: "Reply to app-1" }).click();
  assert.strictEqual(await toy.inputValue("#to"), "app-1");
  await toy.keyboard.type("stop");
  await toy.keyboard.press("Enter");
  await app.locator("#log .came .what", { hasText: "stop" }).waitFor();
  assert.strictEqual(await toy.inputValue("#text"), "");
  await toy.click("#clear");
  assert.strictEqual(await toy.locator("#log li").count(), 0);
}

async function ids_are_remembered_and_a_new_window_asks_first(desk) {
  const context = await desk.person();
  const first = await identified(desk, "toy-7", { context });
  await say(first, "app-9", "hello");
  await first.locator("#log .went").waitFor();
  await first.reload();
  await first.getByText("You are toy-7").waitFor();
  assert.strictEqual(await first.inputValue("#to"), "app-9");
  const second = await desk.open("/toy", { context });
  await second.getByText("Not identified").waitFor();
  assert.strictEqual(await second.inputValue("#own"), "toy-7");
  assert.deepStrictEqual(await second.locator("#to-list option").evaluateAll(all => all.map(o => o.value)), ["app-9"]);
}

async function unknown_fields_and_odd_values_are_shown(desk) {
  const page = await identified(desk, "toy-3");
  await say(page, "toy-3", "ready");
  await page.locator("#log .came").waitFor();
  const app = await desk.client("/sendone");
  app.say({ msg_type: "send_", to_user: "toy-3", from_user: "app-3", speed: 9 });
  const line = page.locator("#log .came", { hasText: "app-3" }).first();
  await line.locator("summary", { hasText: "Raw message" }).click();
  await line.locator("code", { hasText: '"speed":9' }).waitFor();
}

async function an_error_is_told_and_the_keyboard_suffices(desk) {
  const page = await desk.open("/toy");
  await page.locator("#state[data-state=on]").waitFor();
  await page.evaluate(() => document.activeElement.blur());
  const order = [];
  for (let step = 0; step < 5; ++step) {
    await page.keyboard.press("Tab");
    order.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.deepStrictEqual(order, ["own", "accept", "to", "text", "send"]);
  await page.evaluate(() => document.getElementById("own").removeAttribute("maxlength"));
  await page.fill("#own", "x".repeat(257));
  await page.press("#own", "Enter");
  await page.getByRole("alert").filter({ hasText: "That name or id cannot be used" }).waitFor();
  for (const name of ["I am", "To"]) await page.getByRole("combobox", { name, exact: true }).waitFor();
  await page.getByRole("textbox", { name: "Message", exact: true }).waitFor();
}

async function nothing_is_wider_than_a_small_phone(desk) {
  const page = await identified(desk, "w".repeat(200), { viewport: { width: 360, height: 640 } });
  await say(page, "w".repeat(200), "w".repeat(500));
  await page.locator("#log .came").waitFor();
  assert.strictEqual(await page.evaluate(() => document.scrollingElement.scrollWidth > window.innerWidth), false);
}

module.exports = {
  a_message_travels_and_is_answered,
  ids_are_remembered_and_a_new_window_asks_first,
  unknown_fields_and_odd_values_are_shown,
  an_error_is_told_and_the_keyboard_suffices,
  nothing_is_wider_than_a_small_phone,
};
