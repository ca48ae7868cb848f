// A client of npm `ws` whose messages are awaited one by one.
"use strict";
const WebSocket = require("ws");

// Resolves with the socket once it is open; `options` are those of `ws`.
const open = (url, options) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url, options);
  socket.queue = [];
  socket.waiting = [];
  socket.on("message", (data, isBinary) => {
    const message = isBinary ? data : data.toString();
    if (socket.waiting.length) socket.waiting.shift()(message); else socket.queue.push(message);
  });
  socket.on("open", () => resolve(socket));
  socket.on("error", reject);
});
const next = socket => socket.queue.length ? Promise.resolve(socket.queue.shift())
  : new Promise(resolve => socket.waiting.push(resolve));

module.exports = { open, next };
