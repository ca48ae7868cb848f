// npm `centrifuge` in a page that loses its network while much is published: it comes back without a
// hole.
"use strict";
const assert = require("assert");
const { MISSED, misses_nothing, OFFLINE_SECONDS, spread } = require("./centrifuge_page.js");

async function what_was_published_while_the_page_was_offline_comes_without_a_hole(desk) {
  await misses_nothing(desk, async (publisher, page) => {
    await spread(publisher, MISSED, OFFLINE_SECONDS);
    assert.strictEqual(await page.evaluate(() => heard.length), 3, "it is offline");
  });
}

module.exports = { what_was_published_while_the_page_was_offline_comes_without_a_hole };
