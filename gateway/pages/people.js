// Who is there: beside the messages, or on a phone in a drawer.
import { by, make } from "./common.js";

const kShownMax = 300;

export class People {
  #words;
  #shown = "";

  constructor(words) {
    this.#words = words;
    by("people-button").addEventListener("click", () => this.#open(true));
    by("people-close").addEventListener("click", () => this.#open(false));
    document.addEventListener("keydown", event => {
      if (event.key === "Escape" && this.#isOpen) this.#open(false);
    });
    document.addEventListener("pointerdown", event => {
      if (this.#isOpen && !by("people-panel").contains(event.target)) this.#open(false);
    });
    // Wide enough for both: a drawer that was open is part of the page again.
    window.matchMedia("(max-width: 48rem)").addEventListener("change", () => {
      if (this.#isOpen) this.#open(false);
    });
  }

  // `more` are those that the gateway did not name.
  show(names, more, own) {
    const total = names.length + (more > 0 ? more : 0);
    const key = JSON.stringify([names, more, own]);
    if (key === this.#shown) return;
    this.#shown = key;
    const you = names.indexOf(own);
    const lines = names.slice(0, kShownMax).map((name, at) => {
      const line = make("li", at === you ? "you" : "", make("span", "", String(name)));
      line.firstChild.dir = "auto";
      if (at === you) line.append(make("small", "", this.#words.you));
      return line;
    });
    const rest = total - lines.length;
    if (rest > 0) lines.push(make("li", "more", this.#words.more(rest)));
    by("people").replaceChildren(...lines);
    for (const count of document.querySelectorAll(".count")) {
      count.textContent = String(total);
    }
  }

  get #isOpen() { return by("people-panel").classList.contains("open"); }

  #open(open) {
    by("people-panel").classList.toggle("open", open);
    by("people-button").setAttribute("aria-expanded", String(open));
    for (const rest of [by("main"), document.querySelector("header")]) rest.inert = open;
    (open ? by("people-close") : by("people-button")).focus();
  }
}
