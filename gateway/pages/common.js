// What both pages share: the words in two languages, what is remembered, the text box, and a
// connection that comes back by itself.

const language = (navigator.languages?.[0] ?? navigator.language ?? "en").toLowerCase();
export const zh = language.startsWith("zh");

export const by = id => document.getElementById(id);

// An element with text or elements in it. Text is never read as markup.
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

const shared = zh ? {
  on: "【连接成功】", off: "【关闭连接】", connecting: "正在连接…", retry: "立即重连", send: "发送消息",
  wait: s => `连接断开了，${s} 秒后自动重连。未发送的文字会保留。`,
  never: s => `连不上服务器：它可能没有启动，或不允许从这个地址访问。${s} 秒后再试。`,
  trying: "正在重新连接…", keep: "还没有连上。文字已保留，连上后再发送。",
  keys: "Enter 发送，Shift+Enter 换行",
} : {
  on: "【connected】", off: "【closed】", connecting: "Connecting…", retry: "Reconnect now", send: "Send",
  wait: s => `The connection is gone. Trying again in ${s} s; what you are writing stays here.`,
  never: s => `The gateway does not answer, or does not allow this address. Trying again in ${s} s.`,
  trying: "Reconnecting…", keep: "Not connected yet. Your text stays here; send it when the connection is back.",
  keys: "Enter sends, Shift+Enter: new line",
};
const errors = zh ? {
  bad_json: "服务器没有看懂这条消息。", missing_field: "这条消息缺少必要的内容。",
  bad_id: "这个名字或编号不能用：请填写不超过 256 字节的文字。", not_text: "只能发送文字。",
  too_long: "内容太长了，请缩短后再发。", rate_limited: "发得太快了，请稍等一下再发。",
  not_allowed: "您没有权限这样做。", unavailable: "服务器正忙，请稍后再试。",
} : {
  bad_json: "The gateway could not read that message.", missing_field: "Something is missing in that message.",
  bad_id: "That name or id cannot be used: it must be text of at most 256 bytes.", not_text: "Only text can be sent.",
  too_long: "That is too long. Please shorten it and send it again.",
  rate_limited: "That was a little too fast. Please wait a moment and send it again.",
  not_allowed: "You are not allowed to do that.", unavailable: "The gateway is busy. Please try again in a moment.",
};

// Puts the words where the page has data-word (text), data-label (for screen readers), data-hint.
export function translate(own) {
  const words = { ...shared, ...own[zh ? "zh" : "en"] };
  document.documentElement.lang = zh ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = words[element.dataset.word];
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words[element.dataset.label]);
  }
  for (const element of document.querySelectorAll("[data-hint]")) {
    element.placeholder = words[element.dataset.hint];
  }
  document.title = `Sluice ${words.title}`;
  return words;
}

// An error message of the gateway in the reader's words; its own reason where we have none.
export const kindly = message => errors[message.code] ?? String(message.reason ?? message.code ?? "");

export function complain(text) {
  by("problem").textContent = text;
}

// Storage may be switched off; then nothing is remembered and all else works.
function store(where, key, value) {
  try {
    if (value === undefined) return where().getItem(key);
    return where().setItem(key, value);
  } catch {
    return null;
  }
}

// A word of this window, which a new window starts with: two windows may be two people.
export const remembered = {
  here: key => store(() => sessionStorage, key) ?? "",
  get: key => store(() => sessionStorage, key) ?? store(() => localStorage, key) ?? "",
  set(key, value) {
    store(() => sessionStorage, key, value);
    store(() => localStorage, key, value);
  },
};

function grow(box) {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
}

// A text box: Enter sends, Shift+Enter starts a new line, and an Enter that only ends a composition
// (Chinese, Japanese, Korean) does neither. `send` returns whether the text went out.
export function textBox(box, form, key, send) {
  let composing = false;
  box.value = remembered.here(key);
  // Unsent text belongs to one window and survives a reload.
  const changed = () => { store(() => sessionStorage, key, box.value); grow(box); };
  const submit = () => {
    if (!box.value.trim() || !send(box.value)) return;
    box.value = "";
    changed();
  };
  box.addEventListener("compositionstart", () => { composing = true; });
  box.addEventListener("compositionend", () => { composing = false; });
  box.addEventListener("input", changed);
  box.addEventListener("keydown", event => {
    // Safari ends the composition before the Enter that ended it, but says 229.
    if (event.key !== "Enter" || event.shiftKey || composing || event.isComposing ||
        event.keyCode === 229) {
      return;
    }
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", event => {
    event.preventDefault();
    submit();
    box.focus();
  });
  grow(box);
  window.addEventListener("resize", () => grow(box));
}

// A phone's keyboard covers part of the page where the browser does not shrink it: follow what is
// visible.
export function fitKeyboard() {
  const visible = window.visualViewport;
  if (!visible) return;
  const fit = () => {
    if (visible.scale > 1.01) return;  // magnified by the reader: leave it alone
    document.documentElement.style.setProperty("--height", `${Math.round(visible.height)}px`);
    window.scrollTo(0, 0);
  };
  visible.addEventListener("resize", fit);
}

const kStableMs = 5000;
const kLongestWaitSeconds = 30;
const kAnswerMs = 20000;

// How long to wait before the next try: twice as long each time, and somewhere in the upper half of
// that, so that those who were cut off together do not come back together.
export function waitSeconds(tries, random = Math.random()) {
  return Math.min(kLongestWaitSeconds, 2 ** tries) * (0.5 + random / 2);
}

// A WebSocket that is opened again after it was closed, later each time and never all pages at once.
// handlers: opened(), closed(), message(text).
export class Link {
  #url;
  #words;
  #handlers;
  #socket = null;
  #tries = 0;
  #openedAt = 0;
  #everOpen = false;
  #timer = 0;
  #deaf = 0;

  constructor(path, words, handlers) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#url = url;
    this.#words = words;
    this.#handlers = handlers;
    by("retry").addEventListener("click", () => this.#retry());
    window.addEventListener("online", () => this.#retry());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#retry(); });
    this.#connect();
  }

  get isOpen() { return this.#socket?.readyState === WebSocket.OPEN; }

  // Returns the text as it was sent, or null when there is no connection.
  send(message) {
    if (!this.isOpen) return null;
    const text = JSON.stringify(message);
    this.#socket.send(text);
    return text;
  }

  // Sends what the gateway answers: a connection that stays silent then is dead, whatever it says.
  ask(message) {
    if (this.send(message) !== null && !this.#deaf) {
      this.#deaf = setTimeout(() => this.#lost(), kAnswerMs);
    }
  }

  #heard() {
    clearTimeout(this.#deaf);
    this.#deaf = 0;
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#state("wait", this.#words.connecting);
    if (this.#tries > 0) by("trouble-text").textContent = this.#words.trying;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#everOpen = true;
      this.#openedAt = performance.now();
      by("trouble").hidden = true;
      this.#state("on", this.#words.on);
      this.#handlers.opened();
    };
    socket.onmessage = event => {
      this.#heard();
      this.#handlers.message(event.data);
    };
    socket.onclose = () => this.#lost();
  }

  #lost() {
    const socket = this.#socket;
    this.#heard();
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
    const wasOpen = this.#openedAt !== 0;
    if (wasOpen && performance.now() - this.#openedAt > kStableMs) this.#tries = 0;
    this.#openedAt = 0;
    this.#state("off", this.#words.off);
    if (wasOpen) this.#handlers.closed();
    this.#countDown(performance.now() + waitSeconds(this.#tries++) * 1000);
  }

  #countDown(end) {
    const left = end - performance.now();
    if (left <= 0) return this.#connect();
    const words = this.#everOpen ? this.#words.wait : this.#words.never;
    by("trouble-text").textContent = words(Math.ceil(left / 1000));
    by("trouble").hidden = false;
    this.#timer = setTimeout(() => this.#countDown(end), left % 1000 || 1000);
  }

  #retry() {
    if (this.#timer) this.#connect();
  }

  #state(state, text) {
    by("state").dataset.state = state;
    by("state").textContent = text;
  }
}
