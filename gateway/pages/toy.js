// The relay's page: who one is, to whom one writes, what came and went.
import { by, complain, kindly, Link, make, remembered, textBox, translate } from "./common.js";
import { now, shorten } from "./time.js";

const kShownMax = 500;
const kIdsMax = 20;
const kKnown = new Set(["msg_type", "to_user", "from_user", "toy_id", "message", "cur_time"]);

const words = translate({
  zh: {
    title: "一对一", own: "我是", ownHint: "编号，例如 toy-1", accept: "登录", to: "发给",
    toHint: "对方的编号", text: "内容", log: "收发记录", clear: "清空", empty: "还没有消息。先登录，别人就可以给您发消息了。",
    nobody: "还没有登录：可以发送，但收不到消息。", you: id => `您现在是 ${id}`, later: id => `连上后将以 ${id} 登录`,
    came: "← 收到", went: "→ 发出", unknown: "未知", answer: id => `回复 ${id}`, raw: "原始内容",
    gap: n => n === undefined ? "漏掉了一些消息" : `漏掉了 ${n} 条消息`, need: "请先填写收件人。",
  },
  en: {
    title: "relay", own: "I am", ownHint: "an id, e.g. toy-1", accept: "Identify", to: "To",
    toHint: "the other's id", text: "Message", log: "Came and went", clear: "Clear",
    empty: "Nothing yet. Identify yourself, and others can write to you.",
    nobody: "Not identified: you can send, but nothing reaches you.", you: id => `You are ${id}`,
    later: id => `You will be ${id} once connected`,
    came: "← from", went: "→ to", unknown: "unknown", answer: id => `Reply to ${id}`, raw: "Raw message",
    gap: n => `${n ?? "Some"} message${n === 1 ? " was" : "s were"} missed`, need: "Please say to whom.",
  },
});

const log = by("log");
log.dataset.empty = words.empty;
// A new window offers the last identity and takes it only when told to.
let identity = remembered.here("own");

// The ids used last, offered where one is typed.
function remember(key, id) {
  let ids = [];
  try { ids = JSON.parse(remembered.get(key)); } catch { /* nothing was remembered */ }
  ids = Array.isArray(ids) ? ids.filter(each => typeof each === "string" && each !== id) : [];
  if (id) ids.unshift(id);
  ids.length = Math.min(ids.length, kIdsMax);
  remembered.set(key, JSON.stringify(ids));
  by(key).replaceChildren(...ids.map(each => Object.assign(make("option"), { value: each })));
}

function add(kind, ...parts) {
  const time = make("time", "", now());
  shorten(time);
  parts.splice(kind === "note" ? 1 : 2, 0, time);
  log.prepend(make("li", kind, ...parts));
  while (log.children.length > kShownMax) log.lastElementChild.remove();
  by("clear").hidden = false;
}

const what = text => Object.assign(make("p", "what", text), { dir: "auto" });
const asText = value => typeof value === "string" ? value : JSON.stringify(value);

function came(message, text) {
  const id = message.toy_id ?? message.from_user;
  const line = [make("span", "way", words.came), make("b", "", id === undefined ? words.unknown : asText(id)),
                what(asText(message.message ?? ""))];
  if (message.message === undefined || Object.keys(message).some(key => !kKnown.has(key))) {
    line.push(make("details", "", make("summary", "", words.raw), make("code", "", text)));
  }
  if (typeof id === "string" && id) {
    const answer = make("button", "quiet answer", words.answer(id));
    answer.type = "button";
    answer.addEventListener("click", () => { by("to").value = id; by("text").focus(); });
    line.push(answer);
  }
  add("came", ...line);
}

function hear(text) {
  let message = null;
  try { message = JSON.parse(text); } catch { /* shown as it is */ }
  if (message === null || typeof message !== "object") return add("note", what(text));
  if (message.msg_type === "error") return complain(kindly(message));
  if (message.msg_type === "gap") return add("note", what(words.gap(message.missed)));
  came(message, text);
}

function sayWho() {
  const known = identity && link.isOpen;
  by("identity").textContent = !identity ? words.nobody : known ? words.you(identity) : words.later(identity);
}

function accept() {
  if (identity) link.send({ msg_type: "accept_", toy_id: identity });
  sayWho();
}

const link = new Link("sendone", words, {
  opened() {
    complain("");
    add("note", what(words.on));
    accept();
  },
  closed() {
    add("note", what(words.off));
    sayWho();
  },
  message: hear,
});

function send(text) {
  const to = by("to").value.trim();
  if (!to) {
    complain(words.need);
    by("to").focus();
    return false;
  }
  const message = { msg_type: "send_", to_user: to, from_user: identity || undefined, message: text };
  const sent = link.send(message) !== null;
  complain(sent ? "" : words.keep);
  if (!sent) return false;
  remember("to-list", to);
  remembered.set("to", to);
  add("went", make("span", "way", words.went), make("b", "", to), what(text));
  return true;
}

by("own").value = identity || remembered.get("own");
by("to").value = remembered.get("to");
remember("own-list", by("own").value);
remember("to-list", by("to").value);
by("who").addEventListener("submit", event => {
  event.preventDefault();
  identity = by("own").value.trim();
  by("own").value = identity;
  remembered.set("own", identity);
  remember("own-list", identity);
  accept();
  if (identity) by("to").focus();
});
by("clear").addEventListener("click", () => {
  log.replaceChildren();
  by("clear").hidden = true;
  by("text").focus();
});
textBox(by("text"), by("message"), "toy-draft", send);
sayWho();
