// What one sent and has not heard back: everybody gets a message, its sender too, so the echo is
// the receipt. Until then it stands below the others; without it the writer is asked.
import { by, make } from "./common.js";
import { item, dress } from "./messages.js";

const kReceiptMs = 10000;

export class Pending {
  #words;
  #again;
  #waiting = [];

  // again(text): to be sent once more; returns whether it went out.
  constructor(words, again) {
    this.#words = words;
    this.#again = again;
  }

  add(message, text) {
    const line = item(message);
    line.classList.add("mine");
    dress(line, null);
    const entry = { text, line, what: message.message, timer: 0 };
    entry.timer = setTimeout(() => this.#doubt(entry), kReceiptMs);
    this.#waiting.push(entry);
    by("pending").append(line);
  }

  // Whether the message is one that was waited for.
  take(text) {
    const at = this.#waiting.findIndex(entry => entry.text === text);
    if (at < 0) return false;
    this.#drop(this.#waiting[at]);
    return true;
  }

  // A connection was lost and all that was missed is here: what is not there may not have arrived.
  doubtAll() {
    for (const entry of this.#waiting) this.#doubt(entry);
  }

  #drop(entry) {
    clearTimeout(entry.timer);
    this.#waiting.splice(this.#waiting.indexOf(entry), 1);
    entry.line.remove();
  }

  #doubt(entry) {
    clearTimeout(entry.timer);
    if (entry.line.classList.contains("doubtful")) return;
    entry.line.classList.add("doubtful");
    const button = (word, deed) => {
      const made = make("button", "quiet", word);
      made.type = "button";
      made.addEventListener("click", () => { deed(); by("text").focus(); });
      return made;
    };
    entry.line.append(make("div", "choice", make("em", "", this.#words.doubt),
      button(this.#words.again, () => { if (this.#again(entry.what)) this.#drop(entry); }),
      button(this.#words.discard, () => this.#drop(entry))));
  }
}
