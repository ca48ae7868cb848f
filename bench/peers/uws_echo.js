// An echo server on uWebSockets, for bench/run.py: what a well-known fast server costs per message.
'use strict';

const uws = require('uwebsockets');

uws
  .App()
  .ws('/*', {
    compression: uws.DISABLED,
    maxPayloadLength: 16 * 1024 * 1024,
    maxBackpressure: 64 * 1024 * 1024,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    message: (socket, message, isBinary) => {
      socket.send(message, isBinary, false);
    },
  })
  .listen('127.0.0.1', 0, (listener) => {
    if (!listener) {
      console.error('uws_echo: cannot listen on 127.0.0.1');
      process.exit(1);
    }
    console.log(`listening address=127.0.0.1:${uws.us_socket_local_port(listener)}`);
  });
