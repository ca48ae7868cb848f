// Which messages a reader has seen, and how those that were missed come in without doubles. Knows
// neither the page nor the network: both are handed in, so that it can be tested alone.
//
// A position "EPOCH:OFFSET" names the last message seen. After each connection, and after a gap:
// live messages are kept aside, what came after the position is fetched, the list of people is asked
// for, and when it answers the two are merged. The list's answer comes from where the messages come
// from and in one order with them, so every live message that the fetched history has is here by
// then, and what is in both is a suffix of the history and a prefix of the live messages.

const kHeldMax = 1000;
const kListMs = 3000;
const kGapMs = 5000;
const kTries = 2;
const kRetryMs = 1000;

const pause = ms => new Promise(done => setTimeout(done, ms));

// How many live messages the history has already: the longest prefix of `live` that is a suffix of
// `history`. Both are serialised messages.
export function overlap(history, live) {
  for (let count = Math.min(history.length, live.length); count > 0; --count) {
    const start = history.length - count;
    if (live.slice(0, count).every((text, at) => text === history[start + at])) return count;
  }
  return 0;
}

// The position that lies `count` messages further; a position that is no position stays "".
export function advance(position, count) {
  const parts = /^(.+):(\d+)$/.exec(position);
  return parts ? `${parts[1]}:${BigInt(parts[2]) + BigInt(count)}` : "";
}

// Whether this is what the history endpoint promises.
export function isHistory(answer) {
  return typeof answer === "object" && answer !== null && typeof answer.position === "string" &&
    Array.isArray(answer.messages) &&
    answer.messages.every(message => message !== null && typeof message === "object");
}

// deeds: fetch(position) -> Promise of a history, or null where the server keeps none; askList();
// show(message, text, isOld); missed(count or undefined, why: "gap", "old" or "failed");
// settled(): all that is known is shown.
export class History {
  #position;
  #deeds;
  #held = null;  // live entries since the connection, while the rest is on its way
  #round = 0;    // answers to an earlier round are void
  #phase = "live";  // fetch, then drain (a list asked for earlier), then barrier
  #answer;             // a history, null where none is kept, undefined when it could not be had
  #listAsked = false;
  #timer = 0;
  #fetchedAt = -Infinity;

  constructor(position, deeds) {
    this.#position = advance(position, 0);
    this.#deeds = deeds;
  }

  get position() { return this.#position; }

  opened() {
    this.#listAsked = false;
    if (this.#position) return this.#catchUp(0);
    this.askList();
    this.#deeds.settled();
  }

  closed() {
    // What was kept aside comes after the position, so it comes again.
    this.#stop();
    this.#held = null;
  }

  message(message) {
    const text = JSON.stringify(message);
    if (this.#held) return this.#hold({ message, text });
    this.#position = advance(this.#position, 1);
    this.#deeds.show(message, text, false);
  }

  // The server could not deliver some messages; it may still have them in its history.
  gap(missed) {
    if (this.#held) return this.#hold({ missed });
    if (!this.#position) return this.#deeds.missed(missed, "gap");
    this.#catchUp(Math.max(0, this.#fetchedAt + kGapMs - performance.now()));
  }

  // Asks for the list of people, unless the one that settles a merge will be asked for soon.
  askList() {
    if (this.#phase === "fetch" || this.#phase === "drain") return;
    this.#listAsked = true;
    this.#deeds.askList();
  }

  // The list of people came.
  list() {
    this.#listAsked = false;
    if (this.#phase === "drain") this.#raiseBarrier();
    else if (this.#phase === "barrier") this.#settle();
  }

  async #catchUp(wait) {
    this.#stop();
    const round = this.#round;
    this.#held = [];
    this.#answer = undefined;
    this.#phase = "fetch";
    for (let tries = 0; tries < kTries && this.#answer === undefined; ++tries) {
      const delay = tries === 0 ? wait : kRetryMs;
      if (delay > 0) await pause(delay);
      if (round !== this.#round) return;
      this.#fetchedAt = performance.now();
      const answer = await this.#deeds.fetch(this.#position).catch(() => undefined);
      if (round !== this.#round) return;
      if (answer === null || isHistory(answer)) this.#answer = answer;
    }
    if (!this.#listAsked) return this.#raiseBarrier();
    this.#phase = "drain";
    this.#timer = setTimeout(() => this.#raiseBarrier(), kListMs);
  }

  #raiseBarrier() {
    clearTimeout(this.#timer);
    this.#phase = "barrier";
    this.#timer = setTimeout(() => this.#settle(), kListMs);
    this.askList();
  }

  #hold(entry) {
    this.#held.push(entry);
    if (this.#held.length >= kHeldMax) this.#settle();
  }

  #stop() {
    ++this.#round;
    clearTimeout(this.#timer);
    this.#phase = "live";
  }

  #settle() {
    const live = this.#held, answer = this.#answer;
    this.#stop();
    this.#held = null;
    let seen = 0;
    if (answer) {
      if (answer.complete === false) this.#deeds.missed(undefined, "old");
      const texts = answer.messages.map(message => JSON.stringify(message));
      answer.messages.forEach((message, at) => this.#deeds.show(message, texts[at], true));
      seen = overlap(texts, live.map(entry => entry.text));
      this.#position = advance(answer.position, 0);
    } else {
      if (answer === undefined) this.#deeds.missed(undefined, "failed");
      this.#position = "";
    }
    for (const entry of live.slice(seen)) {
      if (entry.message) {
        this.message(entry.message);
      } else {
        this.#position = advance(this.#position, entry.missed ?? 0);
        this.#deeds.missed(entry.missed, "gap");
      }
    }
    this.#deeds.settled();
  }
}
