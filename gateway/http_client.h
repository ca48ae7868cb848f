// How the gateway asks another server over HTTP.
//
// An interface, because a simulation must answer in its own time and from its own seed; curl_client
// is the real one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "core/base/clock.h"
#include "core/reactor.h"

namespace sluice {

// What became of one request.
struct HttpReply {
  enum class Kind : std::uint8_t {
    kAnswered,     // `status` and `body` are a whole answer
    kTimeout,      // none in time
    kUnconnected,  // no connection: nothing of the request has left
    kUnreachable,  // the connection broke
    kTooLong,      // more than the caller wanted
    kGarbled,      // what came is not HTTP
  };
  Kind kind = Kind::kUnreachable;
  int status = 0;
  std::string_view body;  // valid until the call returns; any bytes
  bool is_sent = true;    // of kTimeout: something of the request may have left
};

// Who asked. Called on the shard's thread.
class HttpReplySink {
 public:
  virtual void on_http_reply(std::uint32_t request, const HttpReply& reply) noexcept = 0;

 protected:
  ~HttpReplySink() = default;
};

struct HttpPost {
  std::uint32_t request = 0;  // the caller's name for it
  std::string_view json;      // must stay until the reply
  Duration timeout{};         // from now to the last byte of the answer
  std::size_t reply_max = 0;  // bytes, header included
  // More header fields, "Name: value", each with a line break behind it. Copied.
  std::string_view fields = {};
  // Is never sent a second time. Otherwise it may be, if a connection that had been open for others
  // breaks before anything of an answer has come.
  bool is_once = false;
};

// A client of one URL. Owned by a shard, used on its thread; ends before the shard's Backend, and
// what was under way then is never answered. Does not queue and does not judge answers.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Exactly one on_http_reply follows, never within this call.
  virtual void post(const HttpPost& post, HttpReplySink& sink) noexcept = 0;
};

// Makes a shard's client. Called on the thread that makes the shards, once for each.
using HttpClientFactory = std::function<std::unique_ptr<HttpClient>(Reactor&)>;

}  // namespace sluice
