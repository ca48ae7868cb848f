// The group chat's page: puts connection, history, messages and people together.
import { by, complain, fitKeyboard, kindly, Link, remembered, textBox, translate } from "./common.js";
import { History } from "./history.js";
import { item, Messages } from "./messages.js";
import { Pending } from "./pending.js";
import { People } from "./people.js";
import { now } from "./time.js";

// The list is asked for, never pushed, so that old clients are left alone; a long one less often.
const kListMs = 5000;
const kListMsEach = 20;
const kListMsMax = 60000;
const kFetchMs = 8000;

const words = translate({
  zh: {
    title: "群聊", people: "在线", name: "昵称", close: "关闭", messages: "消息", message: "消息内容",
    hint: "说点什么…", empty: "还没有消息，打个招呼吧！", unread: "以下是新消息", latest: "↓ 最新消息",
    newer: n => `↓ ${n} 条新消息`, you: "（我）", more: n => `还有 ${n} 人`,
    gap: n => n === undefined ? "这里漏掉了一些消息" : `这里漏掉了 ${n} 条消息`,
    old: "更早的消息已经不在了，这里可能漏掉了一些", failed: "没能取回断线期间的消息，刷新页面可以看到最近的消息",
    doubt: "可能没有送达", again: "再次发送", discard: "不发了", guest: "访客",
  },
  en: {
    title: "group chat", people: "People", name: "Your name", close: "Close", messages: "Messages",
    message: "Message", hint: "Write a message…", empty: "No messages yet. Say hello!", unread: "New",
    latest: "↓ Latest", newer: n => `↓ ${n} new message${n === 1 ? "" : "s"}`, you: "(you)",
    more: n => `and ${n} more`,
    gap: n => `${n ?? "Some"} message${n === 1 ? " was" : "s were"} missed here`,
    old: "Older messages are gone; some may be missing here",
    failed: "What was said meanwhile could not be fetched; reload the page to see the latest",
    doubt: "This may not have arrived", again: "Send again", discard: "Discard", guest: "guest",
  },
});

const messages = new Messages(words);
const people = new People(words);
const pending = new Pending(words, say);
let name = remembered.get("name") || words.guest + Math.floor(100 + Math.random() * 900);
let doubtful = false;
let peopleCount = 0;

by("name").value = name;
messages.adopt(who => who === name);

async function fetchMissed(position) {
  const url = new URL("chat/history", location.href);
  url.searchParams.set("after", position);
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), kFetchMs);
  try {
    const response = await fetch(url, { signal: patience.signal, cache: "no-store" });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`status ${response.status}`);
    return await response.json();
  } finally {
    clearTimeout(timer);
  }
}

const history = new History(by("log").dataset.position, {
  fetch: fetchMissed,
  askList: () => link.ask({ msg_type: "update_clients", nickname: name }),
  show(message, text, isOld) {
    messages.busy = isOld;
    const isEcho = pending.take(text);
    const isMine = isEcho || (isOld && message.nickname === name && message.the_robot !== "robot");
    messages.add(item(message), isMine);
  },
  missed(count, why) {
    messages.note(why === "gap" ? words.gap(count) : words[why], "warn");
  },
  settled() {
    messages.busy = false;
    if (doubtful) pending.doubtAll();
    doubtful = false;
  },
});

function hear(text) {
  let message;
  try { message = JSON.parse(text); } catch { return; }
  if (message === null || typeof message !== "object") return;
  if (message.msg_type === "message") {
    history.message(message);
  } else if (message.msg_type === "update_clients" && Array.isArray(message.clients)) {
    peopleCount = message.clients.length;
    people.show(message.clients, message.more, name);
    history.list();
  } else if (message.msg_type === "gap") {
    history.gap(Number.isSafeInteger(message.missed) ? message.missed : undefined);
  } else if (message.msg_type === "error") {
    complain(kindly(message));
  }
}

const link = new Link("chat", words, {
  opened() {
    complain("");
    messages.note(words.on);
    history.opened();
  },
  closed() {
    messages.note(words.off);
    history.closed();
    doubtful = true;
  },
  message: hear,
});

function say(what) {
  const message = { msg_type: "message", nickname: name, message: what, cur_time: now() };
  const text = link.send(message);
  complain(text === null ? words.keep : "");
  if (text === null) return false;
  pending.add(message, text);
  messages.latest();
  return true;
}

textBox(by("text"), by("form"), "draft", say);
by("name").addEventListener("change", () => {
  name = by("name").value.trim() || name;
  by("name").value = name;
  remembered.set("name", name);
  history.askList();
});
by("name").addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  by("text").focus();
});
function keepAsking() {
  setTimeout(() => {
    if (!document.hidden) history.askList();
    keepAsking();
  }, Math.min(kListMsMax, kListMs + peopleCount * kListMsEach));
}
keepAsking();
fitKeyboard();
if (window.matchMedia("(pointer: fine)").matches) by("text").focus();
