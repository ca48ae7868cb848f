// The same page while the gateway is killed and started again, which keeps what it has answered on disk.
"use strict";
const { check, comes_back, goes_offline, hears, MISSED, OFFLINE_SECONDS, open, proxy, Publisher, spread } =
  require("./centrifuge_page.js");

async function what_was_published_before_and_after_a_kill_comes_without_a_hole(desk) {
  const way = await proxy(new URL(desk.base).port);
  const page = await open(desk, await desk.person(), way.port);
  const publisher = await new Publisher().connect(desk);
  for (let n = 0; n < 3; ++n) publisher.publish();
  await hears(page, 3);
  await goes_offline(page, way);
  await spread(publisher, MISSED / 2, OFFLINE_SECONDS / 2);
  await publisher.answered();
  await desk.gateway("kill");
  await desk.gateway("start");
  await publisher.connect(desk);
  await spread(publisher, MISSED / 2, OFFLINE_SECONDS / 2);
  await publisher.answered();
  await comes_back(page, way);
  await hears(page, 3 + MISSED);
  publisher.publish();
  await hears(page, 4 + MISSED);
  await check(page, publisher.published);
  way.close();
}

module.exports = { what_was_published_before_and_after_a_kill_comes_without_a_hole };
