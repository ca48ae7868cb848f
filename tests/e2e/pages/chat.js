// The group chat's page with the real gateway.
"use strict";
const assert = require("assert");

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const messages = page => page.locator("#log li:not(.note)");
const what = page => page.locator("#log li:not(.note) span").allTextContents();

// Whether the newest message is in sight.
const atEnd = () => {
  const scroll = document.getElementById("scroll");
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 2;
};

// Waits for a condition in the page, told by a function of it.
const until = (page, condition, argument) => page.waitForFunction(condition, argument);

async function two_windows_chat_and_markup_stays_text(desk) {
  const [baozi, mantou] = [await desk.chat({ name: "baozi" }), await desk.chat({ name: "mantou" })];
  await baozi.fill("#text", "hello <b>there</b> <img src=x onerror=alert(1)>");
  await baozi.press("#text", "Enter");
  for (const page of [baozi, mantou]) {
    const line = messages(page).last();
    await line.getByText("hello <b>there</b> <img src=x onerror=alert(1)>", { exact: true }).waitFor();
    assert.strictEqual(await line.locator("b").textContent(), "baozi");
    assert.match(await line.locator("time").textContent(), /^\d\d:\d\d$/);
    assert.strictEqual(await line.locator("img").count(), 0);
    await page.locator("#people li", { hasText: "baozi" }).waitFor();
    await page.locator("#people li", { hasText: "mantou" }).waitFor();
  }
  assert.strictEqual(await messages(baozi).last().getAttribute("class"), "mine");
  assert.strictEqual(await messages(mantou).last().getAttribute("class"), null);
  await baozi.locator("#people li.you", { hasText: "baozi" }).waitFor();
  await until(baozi, () => document.querySelector("#people-title .count").textContent === "2");
  assert.strictEqual(await baozi.locator("#pending li").count(), 0);
  assert.strictEqual(await baozi.inputValue("#text"), "");
  await mantou.close();
  await until(baozi, () => document.querySelector("#people-title .count").textContent === "1");
}

async function another_with_my_name_is_not_me_and_a_robot_is_marked(desk) {
  const page = await desk.chat({ name: "baozi" });
  const other = await desk.client();
  other.say({ msg_type: "message", nickname: "baozi", message: "not me" });
  other.say({ msg_type: "message", nickname: "Xiaobing", message: "beep", the_robot: "robot" });
  other.say({ msg_type: "message", message: { odd: [1] } });
  await until(page, () => document.querySelectorAll("#log li:not(.note)").length === 3);
  const classes = await messages(page).evaluateAll(lines => lines.map(line => line.className));
  assert.deepStrictEqual(classes, ["", "robot", ""]);
  assert.deepStrictEqual(await what(page), ["not me", "beep", '{"odd":[1]}']);
  assert.strictEqual(await messages(page).last().locator("b").textContent(), "anonymous");
}

async function enter_sends_shift_enter_does_not_and_composing_does_not(desk) {
  const page = await desk.chat();
  await page.focus("#text");
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  assert.strictEqual(await page.inputValue("#text"), "one\ntwo");
  // An input method: Enter takes the candidate. Chromium says isComposing, Safari only 229.
  const compose = () => page.evaluate(() => {
    const box = document.getElementById("text");
    const enter = more => box.dispatchEvent(new KeyboardEvent("keydown",
      { key: "Enter", bubbles: true, cancelable: true, ...more }));
    box.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
    enter({ isComposing: true });
    enter({});
    box.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "你好" }));
    enter({ keyCode: 229 });
    return box.value;
  });
  assert.strictEqual(await compose(), "one\ntwo");
  await page.keyboard.press("Enter");
  await messages(page).first().waitFor();  // come back, not only shown as under way
  assert.deepStrictEqual(await what(page), ["one\ntwo"]);
  await page.keyboard.type("   ");
  await page.keyboard.press("Enter");
  await page.keyboard.type("after");
  await page.keyboard.press("Enter");
  await messages(page).nth(1).waitFor();
  assert.strictEqual((await what(page))[1].trim(), "after");
}

async function chinese_and_english_by_the_browser(desk) {
  for (const [locale, lang, on, send, people] of [
    ["zh-CN", "zh-CN", "【连接成功】", "发送消息", "在线"], ["zh-TW", "zh-CN", "【连接成功】", "发送消息", "在线"],
    ["en-GB", "en", "【connected】", "Send", "People"], ["fr-FR", "en", "【connected】", "Send", "People"]]) {
    const page = await desk.chat({ locale });
    assert.strictEqual(await page.getAttribute("html", "lang"), lang);
    assert.strictEqual(await page.textContent("#state"), on);
    await page.locator("#log .note", { hasText: on }).waitFor();
    assert.strictEqual(await page.textContent("#send"), send);
    await page.getByRole("heading", { name: people }).waitFor();
    await page.getByRole("textbox", { name: locale.startsWith("zh") ? "消息内容" : "Message" }).waitFor();
    await page.context().close();
  }
}

async function the_nickname_and_the_draft_are_remembered(desk) {
  const context = await desk.person();
  const first = await desk.chat({ context, name: "jiaozi" });
  await first.fill("#text", "not sent yet");
  await first.reload();
  assert.strictEqual(await first.inputValue("#name"), "jiaozi");
  assert.strictEqual(await first.inputValue("#text"), "not sent yet");
  const second = await desk.chat({ context });
  assert.strictEqual(await second.inputValue("#name"), "jiaozi");
  assert.strictEqual(await second.inputValue("#text"), "");
}

// Tab order is the order of the page, everything has a name, and nothing needs a mouse.
async function the_keyboard_and_a_screen_reader_suffice(desk) {
  const page = await desk.chat();
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), "text");
  await page.focus("#scroll");
  const order = ["scroll"];
  for (let step = 0; step < 3; ++step) {
    await page.keyboard.press("Tab");
    order.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.deepStrictEqual(order, ["scroll", "name", "text", "send"]);
  await page.focus("#name");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("keys");
  await page.keyboard.press("Enter");
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), "text");
  await page.keyboard.type("typed");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await messages(page).locator("span", { hasText: "typed" }).waitFor();
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), "text");
  await page.locator("#people li", { hasText: "keys" }).waitFor();
  for (const [role, name] of [["log", "Messages"], ["textbox", "Message"], ["textbox", "Your name"],
                              ["button", "Send"], ["complementary", "People 1"], ["status", ""]]) {
    await page.getByRole(role, name ? { name, exact: true } : {}).first().waitFor();
  }
}

async function on_a_phone_people_are_in_a_drawer_and_nothing_is_wider(desk) {
  const page = await desk.chat({ ...phone, viewport: { width: 360, height: 640 }, name: "small" });
  const other = await desk.client();
  other.say({ msg_type: "update_clients", nickname: "n".repeat(64) });
  other.say({ msg_type: "message", nickname: "n".repeat(64), message: "w".repeat(500), cur_time: "t".repeat(90) });
  await messages(page).last().waitFor();
  const isWide = () => page.evaluate(() => document.scrollingElement.scrollWidth > window.innerWidth ||
    document.getElementById("scroll").scrollWidth > document.getElementById("scroll").clientWidth);
  assert.strictEqual(await isWide(), false);
  assert.strictEqual(await page.isVisible("#people-panel"), false);
  await page.tap("#people-button");
  await page.locator("#people li", { hasText: "n".repeat(64) }).waitFor();
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), "people-close");
  assert.strictEqual(await page.getAttribute("#people-button", "aria-expanded"), "true");
  assert.strictEqual(await isWide(), false);
  // Behind the drawer nothing can be reached.
  await page.keyboard.press("Shift+Tab");
  assert.strictEqual(await page.evaluate(() => document.activeElement.closest("main, header")), null);
  await page.keyboard.press("Escape");
  assert.strictEqual(await page.isVisible("#people-panel"), false);
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), "people-button");
  await page.tap("#people-button");
  await page.touchscreen.tap(10, 300);
  assert.strictEqual(await page.isVisible("#people-panel"), false);
  // A keyboard takes half of the page: the text box is above it, the newest message in sight.
  await page.setViewportSize({ width: 360, height: 320 });
  await until(page, () => document.getElementById("form").getBoundingClientRect().bottom <= window.innerHeight);
  await until(page, atEnd);
}

async function scrolled_up_new_messages_are_counted_and_a_button_leads_to_them(desk) {
  const page = await desk.chat();
  const other = await desk.client();
  const tell = text => other.say({ msg_type: "message", nickname: "far", message: text });
  for (let line = 0; line < 60; ++line) tell(`line ${line}`);
  await page.getByText("line 59").waitFor();
  assert.strictEqual(await page.isVisible("#jump"), false);
  await page.evaluate(() => { document.getElementById("scroll").scrollTop = 0; });
  await page.locator("#jump", { hasText: "Latest" }).waitFor();
  tell("unseen 1");
  tell("unseen 2");
  await page.locator("#jump", { hasText: "2 new messages" }).waitFor();
  assert.match(await page.title(), /^\(2\) /);
  assert.strictEqual(await page.evaluate(() => document.getElementById("scroll").scrollTop), 0);
  assert.strictEqual(await page.locator("#log .marker").count(), 1);
  assert.strictEqual(await page.locator("#log .marker + li span").textContent(), "unseen 1");
  await page.click("#jump");
  await page.locator("#jump").waitFor({ state: "hidden" });
  assert.doesNotMatch(await page.title(), /^\(/);
  // What one says oneself is always in sight.
  await page.evaluate(() => { document.getElementById("scroll").scrollTop = 0; });
  await page.fill("#text", "mine");
  await page.press("#text", "Enter");
  await until(page, () => document.querySelector("#log li:last-child span")?.textContent === "mine");
  await until(page, atEnd);
}

async function an_error_is_told_kindly(desk) {
  const page = await desk.chat();
  await page.evaluate(() => document.getElementById("name").removeAttribute("maxlength"));
  await page.fill("#name", "x".repeat(65));
  await page.press("#name", "Enter");
  await page.getByRole("alert").filter({ hasText: /That (is too long|name or id cannot be used)/ }).waitFor();
  await page.fill("#name", "short");
  await page.press("#name", "Enter");
  await page.fill("#text", "works again");
  await page.press("#text", "Enter");
  await messages(page).locator("span", { hasText: "works again" }).waitFor();
  assert.strictEqual(await page.textContent("#problem"), "");
}

// What holds even if the page had a mistake.
async function the_browser_refuses_markup_and_inline_script(desk) {
  const page = await desk.chat();
  const refused = await page.evaluate(() => {
    const tries = [() => { document.body.innerHTML = "<i>x</i>"; },
                   () => { document.createElement("script").text = "1"; }];
    return tries.map(attempt => { try { attempt(); return false; } catch { return true; } });
  });
  assert.deepStrictEqual(refused, [true, true]);
  const blocked = page.evaluate(url => new Promise(done => {
    document.addEventListener("securitypolicyviolation", event => {
      if (event.effectiveDirective === "connect-src") done(true);
    });
    new WebSocket(url);
  }), "ws://127.0.0.1:1/");
  assert.strictEqual(await blocked, true);
  await until(page, () => true);
  assert.ok(desk.faults.some(fault => fault.includes("trusted-types")), desk.faults);
  desk.faults.length = 0;
}

async function tries_come_later_each_time_and_not_all_at_once(desk) {
  const page = await desk.chat();
  const waits = await page.evaluate(async () => {
    const { waitSeconds } = await import("/pages/common.js");
    return [0, 1, 2, 4, 9, 2000].map(tries => [waitSeconds(tries, 0), waitSeconds(tries, 1)]);
  });
  assert.deepStrictEqual(waits, [[0.5, 1], [1, 2], [2, 4], [8, 16], [15, 30], [15, 30]]);
}

// A network may swallow everything and say nothing.
async function a_dead_connection_is_noticed_and_replaced(desk) {
  let sockets = 0;
  const route = async page => {
    await page.clock.install();
    await page.routeWebSocket("**/chat", socket => {
      if (++sockets > 1) socket.connectToServer();
      else socket.onMessage(() => {});
    });
  };
  const page = await desk.chat({ route });
  await page.clock.runFor(10000);
  assert.strictEqual(await page.getAttribute("#state", "data-state"), "on");
  await page.clock.runFor(15000);
  await page.locator("#log .note", { hasText: "【closed】" }).waitFor();
  await page.locator("#state[data-state=on]").waitFor();
  assert.strictEqual(sockets, 2);
}

async function the_page_does_not_grow_without_end(desk) {
  const page = await desk.chat();
  const other = await desk.client();
  for (let line = 0; line < 1010; ++line) other.say({ msg_type: "message", nickname: "far", message: `line ${line}` });
  await page.getByText("line 1009", { exact: true }).waitFor();
  assert.strictEqual(await page.locator("#log li").count(), 1000);
  await until(page, atEnd);
  const shown = await page.evaluate(async () => {
    const { People } = await import("/pages/people.js");
    new People({ you: "(you)", more: n => `and ${n} more` })
      .show(Array.from({ length: 5000 }, (_, at) => `p${at}`), 7, "p0");
    return [document.getElementById("people").children.length,
            document.querySelector("#people .more").textContent,
            document.querySelector("#people-title .count").textContent];
  });
  assert.deepStrictEqual(shown, [301, "and 4707 more", "5007"]);
}

module.exports = {
  two_windows_chat_and_markup_stays_text,
  another_with_my_name_is_not_me_and_a_robot_is_marked,
  enter_sends_shift_enter_does_not_and_composing_does_not,
  chinese_and_english_by_the_browser,
  the_nickname_and_the_draft_are_remembered,
  the_keyboard_and_a_screen_reader_suffice,
  on_a_phone_people_are_in_a_drawer_and_nothing_is_wider,
  scrolled_up_new_messages_are_counted_and_a_button_leads_to_them,
  an_error_is_told_kindly,
  the_browser_refuses_markup_and_inline_script,
  tries_come_later_each_time_and_not_all_at_once,
  a_dead_connection_is_noticed_and_replaced,
  the_page_does_not_grow_without_end,
};
