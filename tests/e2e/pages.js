// Drives both pages in headless Chromium: port and browser are the arguments.
"use strict";
const assert = require("assert");
const { chromium } = require("playwright-core");

const [port, executablePath] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`;

async function chat(browser) {
  const windows = [];
  for (const name of ["baozi", "mantou"]) {
    const page = await (await browser.newContext({ locale: "en-US" })).newPage();
    await page.goto(base + "/");
    await page.getByText("【connected】").first().waitFor();
    await page.fill("#name", name);
    await page.press("#name", "Enter");
    windows.push(page);
  }
  await windows[0].fill("#text", "hello <b>there</b>");
  await windows[0].press("#text", "Enter");
  for (const page of windows) await page.getByText("hello <b>there</b>").waitFor();
  assert.strictEqual(await windows[1].locator("#log li b").last().textContent(), "baozi");
  await windows[1].locator("#people li", { hasText: "baozi" }).waitFor();
}

async function relay(browser) {
  const pages = [];
  for (const own of ["toy-1", "app-1"]) {
    const page = await (await browser.newContext({ locale: "zh-CN" })).newPage();
    await page.goto(base + "/toy");
    await page.getByText("【连接成功】").waitFor();
    await page.fill("#own", own);
    await page.click("#accept");
    pages.push(page);
  }
  const [toy, app] = pages;
  // accept_ is not answered; a message to oneself proves that it was heard.
  await toy.fill("#to", "toy-1");
  await toy.fill("#text", "ready");
  await toy.click("#send");
  await toy.getByText("toy-1 → ready").waitFor();
  await app.fill("#to", "toy-1");
  await app.fill("#text", "前进");
  await app.click("#send");
  await toy.getByText("app-1 → 前进").waitFor();
}

(async () => {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    await chat(browser);
    await relay(browser);
  } finally {
    await browser.close();
  }
})().catch(error => { console.error(error); process.exit(1); });
