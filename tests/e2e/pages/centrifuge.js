// npm `centrifuge` in a page that loses its network while much is published: it comes back without a
// hole.
"use strict";
const assert = require("assert");
const { check, comes_back, goes_offline, hears, MISSED, OFFLINE_SECONDS, open, proxy, Publisher, spread } =
  require("./centrifuge_page.js");

async function what_was_published_while_the_page_was_offline_comes_without_a_hole(desk) {
  const way = await proxy(new URL(desk.base).port);
  const page = await open(desk, await desk.person(), way.port);
  const publisher = await new Publisher().connect(desk);
  for (let n = 0; n < 3; ++n) publisher.publish();
  await hears(page, 3);
  await goes_offline(page, way);
  await spread(publisher, MISSED, OFFLINE_SECONDS);
  assert.strictEqual(await page.evaluate(() => heard.length), 3, "it is offline");
  await comes_back(page, way);
  await hears(page, 3 + MISSED);
  publisher.publish();
  await hears(page, 4 + MISSED);
  await check(page, publisher.published);
  way.close();
}

module.exports = { what_was_published_while_the_page_was_offline_comes_without_a_hole };
