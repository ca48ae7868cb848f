// Drives the pages in headless Chromium: port, browser and the group in pages/ are the arguments.
//
// A group exports functions (tests), each given a Desk and a gateway that has nothing stored yet. What
// is to be done with the gateway stands on standard output ("gateway stop", "kill", "start"); the
// parent does it and answers "done".
"use strict";
const assert = require("assert");
const readline = require("readline");
const { chromium } = require("playwright-core");
const WebSocket = require("ws");

const [port, executablePath, group] = process.argv.slice(2);
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function tell(deed) {
  console.log(`gateway ${deed}`);
  assert.strictEqual((await answers.next()).value, "done");
}

class Desk {
  base = `http://127.0.0.1:${port}`;
  #browser;
  #contexts = [];
  #sockets = [];
  #wasStopped = false;
  faults = [];  // what no page should have said

  constructor(browser) { this.#browser = browser; }

  // A browser of its own for each person. `allow`: console errors that the test provokes.
  async person(options = {}) {
    const context = await this.#browser.newContext({ locale: "en-US", ...options });
    // A page that a test changes on its way counts as one of the wide world's to Chromium.
    await context.grantPermissions(["local-network-access"]);
    this.#contexts.push(context);
    return context;
  }

  async open(path, { context, allow = [], route, ...options } = {}) {
    const page = await (context ?? await this.person(options)).newPage();
    page.setDefaultTimeout(20000);
    page.on("pageerror", error => this.faults.push(`error: ${error.stack}`));
    page.on("console", message => {
      const text = message.text();
      const isExpected = allow.some(each => text.includes(each)) ||
        (this.#wasStopped && /WebSocket connection .* failed/.test(text));
      if (message.type() === "error" && !isExpected) this.faults.push(`console: ${text}`);
    });
    await page.exposeFunction("tellViolation", text => this.faults.push(`policy: ${text}`));
    await page.addInitScript(() => document.addEventListener("securitypolicyviolation", event =>
      window.tellViolation(`${event.violatedDirective} ${event.blockedURI}`)));
    if (route) await route(page);
    await page.goto(this.base + path);
    return page;
  }

  async chat(options = {}) {
    const page = await this.open("/", options);
    await page.locator("#state[data-state=on]").waitFor();
    if (options.name) {
      await page.fill("#name", options.name);
      await page.press("#name", "Enter");
    }
    return page;
  }

  // A client that is not a browser.
  async client(path = "/chat") {
    const socket = new WebSocket(this.base.replace("http", "ws") + path);
    this.#sockets.push(socket);
    await new Promise((done, fail) => socket.on("open", done).on("error", fail));
    const heard = [];
    socket.on("message", data => heard.push(JSON.parse(data)));
    socket.on("error", () => {});
    return { heard, say: message => socket.send(JSON.stringify(message)) };
  }

  async gateway(deed) {
    this.#wasStopped = true;
    await tell(deed);
  }

  async end() {
    for (const socket of this.#sockets) socket.terminate();
    for (const context of this.#contexts) await context.close();
    assert.deepStrictEqual(this.faults, []);
  }
}

(async () => {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const only = process.env.E2E_PAGES_ONLY;  // one test by name
  try {
    for (const [name, test] of Object.entries(require(`./pages/${group}.js`))) {
      if (only && name !== only) continue;
      await tell("stop");
      await tell("start");
      const desk = new Desk(browser);
      try {
        await test(desk);
        await desk.end();
      } catch (error) {
        error.message = `${group}.${name}: ${error.message}\nin the pages: ${desk.faults.join("\n")}`;
        error.stack = error.message + error.stack;
        throw error;
      }
    }
  } finally {
    await browser.close();
  }
  process.exit(0);
})().catch(error => { console.error(error); process.exit(1); });
