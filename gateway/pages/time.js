// Times of messages: written for everybody, shown in the reader's own zone.
import { zh } from "./common.js";

const two = number => String(number).padStart(2, "0");

// 2026-11-28 14:05:09+08:00: plain to people who see it raw, exact for those in another zone.
export function now(date = new Date()) {
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${zone}`;
}

// Shortens the text of a <time>: hour and minute, the day when it is not today. A client may write
// whatever it likes as a time; what is not ours stays as it is.
export function shorten(time) {
  const text = time.textContent;
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,3})?)(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const date = parts ? new Date(`${parts[1]}T${parts[2]}${parts[3] ?? ""}`) : null;
  if (!date || Number.isNaN(date.getTime())) return;
  const clock = { hour: "2-digit", minute: "2-digit", hour12: false };
  const day = { month: "short", day: "numeric", ...clock };
  const today = date.toDateString() === new Date().toDateString();
  time.textContent = date.toLocaleString(zh ? "zh-CN" : "en", today ? clock : day);
  time.dateTime = date.toISOString();
  time.title = text;
}
