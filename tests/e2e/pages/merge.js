// The merging of what was missed with what came live, without a browser: orders of events that a
// real gateway shows too rarely.
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");

const kSource = path.join(__dirname, "../../../gateway/pages/history.js");
const load = () => import(`data:text/javascript,${encodeURIComponent(fs.readFileSync(kSource, "utf8"))}`);
const said = text => ({ msg_type: "message", message: text });
const settle = () => new Promise(done => setImmediate(done));

// A History whose world is the test: `fetched` are the questions that wait for an answer.
async function world(position) {
  const { History } = await load();
  const it = { fetched: [], lists: 0, shown: [], notes: [], settled: 0 };
  it.history = new History(position, {
    fetch: after => new Promise((answer, fail) => it.fetched.push({ after, answer, fail })),
    askList: () => ++it.lists,
    show: message => it.shown.push(message.message),
    missed: (count, why) => it.notes.push([count, why]),
    settled: () => ++it.settled,
  });
  it.live = (...texts) => texts.forEach(text => it.history.message(said(text)));
  it.answer = async (at, ...texts) => {
    it.fetched.shift().answer({ position: at, complete: true, messages: texts.map(said) });
    await settle();
  };
  return it;
}

async function overlap_is_the_longest_prefix_that_is_a_suffix() {
  const { overlap } = await load();
  for (const [history, live, count] of [
    ["", "", 0], ["abc", "", 0], ["", "abc", 0], ["abc", "cd", 1], ["abc", "bcd", 2], ["abc", "abc", 3],
    ["abc", "abcd", 3], ["abc", "d", 0], ["aba", "aba", 3], ["aaa", "aa", 2], ["abc", "ab", 0], ["xab", "abab", 2]]) {
    assert.strictEqual(overlap([...history], [...live]), count, `${history} ${live}`);
  }
}

async function positions_advance_beyond_what_a_double_holds() {
  const { advance } = await load();
  assert.strictEqual(advance("e:9007199254740993", 2), "e:9007199254740995");
  assert.strictEqual(advance("a:b:7", 1), "a:b:8");
  for (const none of ["", "e", "e:", ":1", "e:x"]) assert.strictEqual(advance(none, 1), "");
}

// The list answers after the live messages that the history has, however late they are.
async function a_live_message_later_than_its_history_stands_once() {
  const it = await world("e:1");
  it.history.opened();
  assert.deepStrictEqual([it.fetched[0].after, it.lists], ["e:1", 0]);
  await it.answer("e:3", "two", "three");
  assert.deepStrictEqual([it.lists, it.shown], [1, []]);
  it.live("three", "four");
  it.history.list();
  assert.deepStrictEqual(it.shown, ["two", "three", "four"]);
  assert.deepStrictEqual([it.history.position, it.settled, it.notes], ["e:4", 1, []]);
  it.live("five");
  assert.strictEqual(it.history.position, "e:5");
}

// A list that was asked for before the fetch says nothing about it.
async function an_earlier_list_is_no_barrier() {
  const it = await world("e:1");
  it.history.opened();
  await it.answer("e:1");
  it.history.list();
  it.history.askList();
  it.history.gap(1);
  assert.strictEqual(it.fetched.length, 0);  // a gap so soon after a fetch waits
  it.history.closed();
  it.history.opened();
  it.history.askList();
  assert.strictEqual(it.lists, 2);  // while fetching nobody asks
  await it.answer("e:2", "two");
  assert.strictEqual(it.lists, 3);
  it.live("two");
  it.history.list();
  assert.deepStrictEqual(it.shown, ["two"]);
}

async function an_answer_for_a_connection_that_is_gone_is_void() {
  const it = await world("e:1");
  it.history.opened();
  it.live("two");
  it.history.closed();
  it.history.opened();
  const [first, second] = it.fetched.splice(0, 2);
  first.answer({ position: "e:2", complete: true, messages: [said("two")] });
  await settle();
  assert.deepStrictEqual([it.shown, it.lists], [[], 0]);
  second.answer({ position: "e:3", complete: true, messages: [said("two"), said("three")] });
  await settle();
  it.history.list();
  assert.deepStrictEqual(it.shown, ["two", "three"]);
}

async function a_gap_among_the_live_messages_is_told_and_counted() {
  const it = await world("e:1");
  it.history.opened();
  it.live("two");
  it.history.gap(2);
  it.live("five");
  await it.answer("e:2", "two");
  it.history.list();
  assert.deepStrictEqual([it.shown, it.notes, it.history.position], [["two", "five"], [[2, "gap"]], "e:5"]);
}

async function too_many_live_messages_do_not_wait_for_ever() {
  const it = await world("e:1");
  it.history.opened();
  it.live(...Array.from({ length: 1000 }, (_, at) => `${at}`));
  assert.deepStrictEqual([it.shown.length, it.notes, it.history.position], [1000, [[undefined, "failed"]], ""]);
}

async function an_answer_that_is_no_history_is_asked_for_once_more() {
  const it = await world("e:1");
  it.history.opened();
  it.fetched.shift().answer({ position: 7 });
  while (it.fetched.length === 0) await new Promise(done => setTimeout(done, 20));
  it.fetched.shift().fail(new Error("away"));
  await settle();
  it.live("two");
  it.history.list();
  assert.deepStrictEqual([it.shown, it.notes], [["two"], [[undefined, "failed"]]]);
}

async function without_a_position_nothing_is_fetched_or_kept_aside() {
  const it = await world("");
  it.history.opened();
  it.live("one");
  it.history.gap(undefined);
  assert.deepStrictEqual([it.fetched, it.lists, it.shown, it.settled], [[], 1, ["one"], 1]);
  assert.deepStrictEqual(it.notes, [[undefined, "gap"]]);
}

module.exports = {
  overlap_is_the_longest_prefix_that_is_a_suffix,
  positions_advance_beyond_what_a_double_holds,
  a_live_message_later_than_its_history_stands_once,
  an_earlier_list_is_no_barrier,
  an_answer_for_a_connection_that_is_gone_is_void,
  a_gap_among_the_live_messages_is_told_and_counted,
  too_many_live_messages_do_not_wait_for_ever,
  an_answer_that_is_no_history_is_asked_for_once_more,
  without_a_position_nothing_is_fetched_or_kept_aside,
};

if (require.main === module) {
  (async () => {
    for (const test of Object.values(module.exports)) await test();
    process.exit(0);  // timers of unfinished rounds would keep the process
  })().catch(error => { console.error(error); process.exit(1); });
}
