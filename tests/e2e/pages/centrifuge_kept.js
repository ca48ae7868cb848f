// The same page while the gateway is killed and started again, which keeps what it has answered on disk.
"use strict";
const { MISSED, misses_nothing, OFFLINE_SECONDS, spread } = require("./centrifuge_page.js");

async function what_was_published_before_and_after_a_kill_comes_without_a_hole(desk) {
  await misses_nothing(desk, async publisher => {
    await spread(publisher, MISSED / 2, OFFLINE_SECONDS / 2);
    await publisher.answered();
    await desk.gateway("kill");
    await desk.gateway("start");
    await publisher.connect(desk);
    await spread(publisher, MISSED / 2, OFFLINE_SECONDS / 2);
    await publisher.answered();
  });
}

module.exports = { what_was_published_before_and_after_a_kill_comes_without_a_hole };
