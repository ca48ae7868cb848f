// What a browser's own WebSocket does when the gateway agrees to compress.
"use strict";
const assert = require("assert");

async function counted(desk, direction, form) {
  const text = await (await fetch(`${desk.base}/metrics`)).text();
  const label = `sluice_compressed_bytes_total{direction="${direction}",form="${form}"} `;
  return Number(text.slice(text.indexOf(label) + label.length).split("\n")[0]);
}

async function echo_of_every_size_and_a_long_chat(desk) {
  const first = await desk.chat({ name: "first" });
  const second = await desk.chat({ name: "second" });
  const said = "a long message that is said in both windows ".repeat(20).trim();
  for (let n = 0; n < 3; ++n) {
    await first.fill("#text", `${n} ${said}`);
    await first.press("#text", "Enter");
    await second.getByText(`${n} ${said}`).waitFor();
  }
  const answers = await first.evaluate(() => new Promise((resolve, reject) => {
    const sizes = [0, 1, 63, 64, 511, 512, 70000, 1 << 20];
    const socket = new WebSocket(`ws://${location.host}/`);
    const heard = [];
    socket.onopen = () => sizes.forEach(size => socket.send("x".repeat(size)));
    socket.onerror = reject;
    socket.onmessage = event => {
      heard.push(event.data.length);
      if (heard.length < sizes.length) return;
      resolve({ heard, sizes, extensions: socket.extensions });
      socket.close();
    };
  }));
  assert.deepStrictEqual(answers.heard, answers.sizes);
  assert.match(answers.extensions, /^permessage-deflate/);
  for (const direction of ["in", "out"]) {
    const plain = await counted(desk, direction, "plain");
    assert(plain > 1 << 20, `${direction}: ${plain}`);
    assert(await counted(desk, direction, "compressed") < plain / 50);
  }
}

module.exports = { echo_of_every_size_and_a_long_chat };
