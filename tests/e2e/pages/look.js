// How the pages look: pictures of both, and that every text can be read.
//
// SCREENSHOTS names the folder for those that the README shows, SCREENSHOTS_MORE the one for the others
// (dark, drawer, unread, trouble); where it is not set, those are not taken.
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");

const kBytesMax = 200 * 1024;
const kInReadme = new Set(["chat-desktop", "chat-phone", "toy-desktop", "toy-phone"]);
const sizes = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

const pictureOf = (page, colour, size) => `${page}-${size}${colour === "dark" ? "-dark" : ""}`;

async function shoot(page, name) {
  const folder = kInReadme.has(name) ? process.env.SCREENSHOTS : process.env.SCREENSHOTS_MORE;
  if (!folder) return;
  const file = path.join(folder, `${name}.png`);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: file, animations: "disabled", caret: "hide" });
  assert.ok(fs.statSync(file).size < kBytesMax, `${name} is too big`);
}

// The contrast of each text with what it stands on, where that is below what WCAG AA asks for.
function tooFaint() {
  const parse = text => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  let count = 0;
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) ||
      element.value || element.placeholder;
    if (!hasText || !element.checkVisibility()) continue;
    ++count;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(`${element.tagName}#${element.id} ${contrast.toFixed(2)}: ${element.textContent}`);
  }
  return { faint, count };
}

async function assertReadable(page, least) {
  const { faint, count } = await page.evaluate(tooFaint);
  assert.deepStrictEqual(faint, []);
  assert.ok(count >= least, `only ${count} texts were looked at`);
}

const stamp = minutesAgo => {
  const date = new Date(Date.now() - minutesAgo * 60000);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19).replace("T", " ");
};

async function converse(desk) {
  const friends = {};
  for (const name of ["Ada", "小林", "Grace", "Linus"]) {
    friends[name] = await desk.client();
    friends[name].say({ msg_type: "update_clients", nickname: name });
  }
  return async (name, message, minutesAgo, more = {}) => {
    const before = friends[name].heard.length;
    friends[name].say({ msg_type: "message", nickname: name, message, cur_time: stamp(minutesAgo), ...more });
    while (friends[name].heard.length <= before) await new Promise(done => setTimeout(done, 5));
  };
}

async function talk(page, speak) {
  await speak("Ada", "Good morning! Is the new gateway already running?", 9);
  await speak("Grace", "Since seven o'clock. Nobody has noticed, which is the best thing one can say about a gateway.", 8);
  await speak("小林", "早上好！旧的网页一行都没有改，直接连上了。", 8);
  await speak("小林", "玩具也都在线。", 8);
  await speak("Ada", "<b>Nice.</b> And markup stays what it is: text.", 6);
  await speak("Linus", "How many connections fit on one machine?", 5);
  await speak("Grace", "More than we have:\n  922 bytes for an idle one\n  so 10,000 need about 9 MB", 4);
  await speak("Linus", "Show me.", 3);
  await page.fill("#text", "There is a table in the README, and the command that makes it.");
  await page.press("#text", "Enter");
  await page.locator("#log li.mine").waitFor();
  await speak("Ada", "./dev bench takes a few minutes. Have some tea meanwhile.", 0,
              { nickname: "Tea robot", the_robot: "robot" });
  await page.locator("#log li.robot").waitFor();
  await page.locator("#people li").nth(4).waitFor({ state: "attached" });
}

async function the_chat(desk, colorScheme, size) {
  const page = await desk.chat({ colorScheme, ...sizes[size], name: "Margaret" });
  const speak = await converse(desk);
  await talk(page, speak);
  const name = pictureOf("chat", colorScheme, size);
  await assertReadable(page, 30);
  await shoot(page, name);
  if (size !== "phone") return;
  await page.tap("#people-button");
  await assertReadable(page, 8);
  await shoot(page, `${name}-people`);
  await page.keyboard.press("Escape");
  await page.evaluate(() => { document.getElementById("scroll").scrollTop -= 300; });
  await page.locator("#jump").waitFor();
  await speak("Linus", "Thank you.", 0);
  await page.locator("#jump", { hasText: "1 new message" }).waitFor();
  await assertReadable(page, 30);
  await shoot(page, `${name}-unread`);
}

async function the_relay(desk, colorScheme, size) {
  const app = await desk.client("/sendone");
  const page = await desk.open("/toy", { colorScheme, ...sizes[size] });
  await page.locator("#state[data-state=on]").waitFor();
  await page.fill("#own", "toy-1");
  await page.press("#own", "Enter");
  await page.fill("#to", "app-1");
  const come = async (message, more) => {
    const before = await page.locator("#log .came").count();
    app.say({ msg_type: "send_", to_user: "toy-1", from_user: "app-1", message, ...more });
    await page.locator("#log .came").nth(before).waitFor();
  };
  const go = async text => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
    await page.locator("#log .went .what", { hasText: text }).waitFor();
  };
  await go("awake");
  await come("Turn left, then wave.");
  await go("done");
  await come("唱一首歌吧", { volume: 7 });
  await page.fill("#text", "♪ singing");
  await assertReadable(page, 15);
  await shoot(page, pictureOf("toy", colorScheme, size));
}

// Trouble is shown, and can be read, in both languages and colours.
async function the_trouble(desk) {
  const pages = [];
  for (const [colorScheme, locale] of [["light", "zh-CN"], ["dark", "en-US"]]) {
    for (const place of ["/", "/toy"]) {
      const page = await desk.open(place, { colorScheme, locale, ...sizes.phone });
      await page.locator("#state[data-state=on]").waitFor();
      pages.push({ page, name: `trouble-${place === "/" ? "chat" : "toy"}-${colorScheme}` });
    }
  }
  await desk.gateway("stop");
  for (const { page, name } of pages) {
    await page.locator("#trouble").waitFor();
    if (name.includes("toy")) await page.fill("#to", "app-1");
    await page.fill("#text", "…");
    await page.press("#text", "Enter");
    await page.locator("#problem", { hasText: /./ }).waitFor();
    await assertReadable(page, 10);
    await shoot(page, name);
  }
  await desk.gateway("start");
}

module.exports = { the_trouble };
for (const test of [the_chat, the_relay]) {
  for (const colour of ["light", "dark"]) {
    for (const size of Object.keys(sizes)) {
      module.exports[`${test.name}_${colour}_${size}`] = desk => test(desk, colour, size);
    }
  }
}
