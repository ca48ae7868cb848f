// The list of messages: how one looks, following the newest, and what came while nobody looked.
import { by, make, zh } from "./common.js";
import { shorten } from "./time.js";

const kShownMax = 1000;
const kNearPixels = 48;
const kColours = 6;

function colour(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return `name${sum % kColours}`;
}

const isMessage = item => item?.querySelector(":scope > b");

// A message as the gateway writes it into the page, too. What people wrote only ever becomes a text
// node.
export function item(message) {
  const line = make("li", message.the_robot === "robot" ? "robot" : "");
  const what = message.message ?? "";
  line.append(make("b", "", String(message.nickname ?? "")),
              make("span", "", typeof what === "string" ? what : JSON.stringify(what)));
  if (message.cur_time !== undefined && message.cur_time !== null && message.cur_time !== "") {
    line.append(make("time", "", String(message.cur_time)));
  }
  return line;
}

// What the gateway's own lines do not have: direction, colour, short time, no name twice in a row.
export function dress(line, before) {
  const who = line.querySelector("b"), time = line.querySelector("time");
  who.dir = "auto";
  line.querySelector("span").dir = "auto";
  who.classList.add(colour(who.textContent));
  if (!who.textContent) who.textContent = zh ? "匿名" : "anonymous";
  if (time) shorten(time);
  const last = isMessage(before) ? before : null;
  const same = kind => last.classList.contains(kind) === line.classList.contains(kind);
  if (last?.querySelector("b").textContent === who.textContent && same("robot") && same("mine")) {
    line.classList.add("again");
    const times = [last, line].map(each => each.querySelector("time")?.textContent);
    if (times[0] === times[1]) line.classList.add("same-time");
  }
}

export class Messages {
  #log = by("log");
  #scroll = by("scroll");
  #jump = by("jump");
  #words;
  #title = document.title;
  #following = true;  // the newest stays in sight
  #top = 0;
  #unread = 0;
  #marker = null;

  constructor(words) {
    this.#words = words;
    this.#log.dataset.empty = words.empty;
    this.#follow(true);
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#jump.addEventListener("click", () => { this.latest(); this.#scroll.focus(); });
    document.addEventListener("visibilitychange", () => this.#look());
    // Once per picture, however many lines came; asking for the height after each would be slow.
    const size = new ResizeObserver(() => { if (this.#following) this.#toEnd(); });
    for (const element of [this.#scroll, this.#log, by("pending")]) size.observe(element);
  }

  // The lines that the gateway wrote into the page.
  adopt(isMine) {
    for (const line of this.#log.querySelectorAll(":scope > li")) {
      if (!line.classList.contains("robot") && isMine(line.querySelector("b")?.textContent)) {
        line.classList.add("mine");
      }
      if (isMessage(line)) dress(line, line.previousElementSibling);
    }
  }

  add(line, isMine) {
    if (isMine) line.classList.add("mine");
    if (!isMine && (!this.#following || document.hidden)) this.#count();
    dress(line, this.#log.lastElementChild);
    this.#append(line);
  }

  note(text, kind = "") {
    this.#append(make("li", `note ${kind}`, text));
  }

  // While many lines come at once a screen reader waits for the last.
  set busy(busy) { this.#scroll.setAttribute("aria-busy", String(busy)); }

  latest() {
    this.#follow(true);
    this.#toEnd();
    this.#look();
  }

  #append(line) {
    this.#log.append(line);
    while (this.#log.children.length > kShownMax) this.#log.firstElementChild.remove();
    this.#showJump();
  }

  #count() {
    if (this.#unread++ === 0) {
      this.#marker?.remove();
      this.#marker = make("li", "note marker", this.#words.unread);
      this.#append(this.#marker);
    }
    document.title = `(${this.#unread}) ${this.#title}`;
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#top = this.#scroll.scrollTop;
  }

  #scrolled() {
    const scroll = this.#scroll;
    // Lines may have come since the page scrolled to its end, so only who scrolls up stops following.
    if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < kNearPixels) {
      this.#follow(true);
    } else if (scroll.scrollTop < this.#top) {
      this.#follow(false);
    }
    this.#top = scroll.scrollTop;
    this.#look();
  }

  #follow(following) {
    this.#following = following;
    // Who reads older lines keeps them in place when the oldest go.
    this.#scroll.style.overflowAnchor = following ? "none" : "auto";
  }

  #look() {
    if (this.#following && !document.hidden) {
      this.#unread = 0;
      document.title = this.#title;
    }
    this.#showJump();
  }

  #showJump() {
    this.#jump.hidden = this.#following;
    const text = this.#unread ? this.#words.newer(this.#unread) : this.#words.latest;
    if (this.#jump.textContent !== text) this.#jump.textContent = text;
  }
}
