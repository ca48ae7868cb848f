// HttpClient over libcurl's multi interface, driven by the Reactor: descriptors are watched, time
// comes from the timer wheel, and nothing here blocks.
//
// Names are the delicate part. libcurl looks them up on a thread of its own for each request, and a
// resolver that does not answer holds such a thread long after its request has timed out. So only
// one request at a time may look the name up; others wait for it, share its outcome if it fails,
// and use its answer for as long as libcurl keeps it. A lookup that was given up is never joined.
//
// Only http and https; no redirects, no proxies, no credentials of the environment or of files.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/reactor.h"
#include "gateway/http_client.h"

namespace sluice {

// Makes clients of `url`, which http_url_fault has nothing against. Sets libcurl up: call it
// before the first thread starts.
HttpClientFactory curl_client_factory(std::string url);

// See HttpClient. Keeps connections open for the next request.
class CurlClient final : public HttpClient, private Watcher {
 public:
  CurlClient(Reactor& reactor, std::string url);
  ~CurlClient() override;
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  void post(const HttpPost& post, HttpReplySink& sink) noexcept override;

 private:
  // One request and the easy handle that carries it; used again for the next.
  struct Call {
    CurlClient* client = nullptr;
    CURL* easy = nullptr;
    HttpReplySink* sink = nullptr;
    std::string_view json;
    std::string body;
    std::size_t received = 0;  // bytes, header included
    std::size_t reply_max = 0;
    Time deadline{};
    std::uint32_t request = 0;
    bool is_once = false;
    bool is_sent = false;  // at least its beginning
    bool is_too_long = false;
    bool looked_up = false;
    curl_slist* fields = nullptr;  // of its own; null: those of all
  };
  // A descriptor of libcurl, and what it waits for.
  struct Socket {
    int descriptor;
    unsigned events;
    Handle watch;
    bool is_armed;
  };

  static int on_socket(CURL* easy, curl_socket_t descriptor, int what, void* self, void*) noexcept;
  static int on_timeout(CURLM* multi, long milliseconds, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* call) noexcept;
  static std::size_t on_head(char* data, std::size_t, std::size_t size, void* call) noexcept;
  static int on_lookup(void* resolver, void*, void* call) noexcept;
  static curl_socket_t on_open(void* call, curlsocktype, curl_sockaddr* address) noexcept;
  static int on_request(void* call, char*, char*, int, int) noexcept;

  // Watcher
  void on_ready(Handle watch, unsigned events) noexcept override;
  void on_timer() noexcept;

  Call& take_call();
  void set_up(Call& call);
  void set_fields(Call& call, std::string_view more) noexcept;
  void start(Call& call) noexcept;
  void drive(curl_socket_t descriptor, int events) noexcept;
  void collect() noexcept;
  void finish(Call& call, CURLcode code) noexcept;
  void reply(Call& call, const HttpReply& reply) noexcept;
  void has_address(Call& call) noexcept;
  void change_socket(int descriptor, int what) noexcept;
  Socket* find_socket(Handle watch) noexcept;

  Reactor& reactor_;
  const std::string url_;
  Timer timer_;
  CURLM* multi_;
  curl_slist* const fields_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<Call*> idle_;
  std::deque<Call*> waiting_;  // for the lookup of another, in order of deadlines
  Call* looking_up_ = nullptr;
  Time address_until_{};  // libcurl knows the address until then
  std::vector<Socket> sockets_;
};

}  // namespace sluice
