#include "gateway/curl_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace sluice {
namespace {

// libcurl keeps an address that long, and we trust it for less, so that no request finds it expired
// and looks it up beside another.
constexpr long kAddressSeconds = 60;
constexpr Duration kAddressTrust = std::chrono::seconds(kAddressSeconds - 10);
constexpr long kIdleConnectionsMax = 64;

unsigned poll_events(int what) noexcept {
  return (what & CURL_POLL_IN ? kPollIn : 0u) | (what & CURL_POLL_OUT ? kPollOut : 0u);
}

int select_events(unsigned events) noexcept {
  return (events & kPollIn ? CURL_CSELECT_IN : 0) | (events & kPollOut ? CURL_CSELECT_OUT : 0) |
         (events & kPollError ? CURL_CSELECT_ERR : 0);
}

HttpReply::Kind kind_of(CURLcode code) noexcept {
  switch (code) {
    case CURLE_OK:
      return HttpReply::Kind::kAnswered;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpReply::Kind::kTimeout;
    case CURLE_UNSUPPORTED_PROTOCOL:  // of the answer: ours was checked
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return HttpReply::Kind::kGarbled;
    default:
      return HttpReply::Kind::kUnreachable;
  }
}

long milliseconds_left(Time now, Time deadline) noexcept {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return std::max<long>(1, static_cast<long>(left));  // 0 would mean no limit
}

void append(curl_slist*& list, const char* line) noexcept {
  curl_slist* const longer = curl_slist_append(list, line);
  SLUICE_CHECK(longer != nullptr);
  list = longer;
}

// What all requests say.
curl_slist* common_fields() noexcept {
  curl_slist* list = nullptr;
  append(list, "Content-Type: application/json");
  append(list, "Expect:");
  return list;
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) noexcept {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  SLUICE_CHECK(code == CURLE_OK);
}

}  // namespace

HttpClientFactory curl_client_factory(std::string url) {
  const CURLcode code = curl_global_init(CURL_GLOBAL_ALL);
  SLUICE_CHECK(code == CURLE_OK);
  return [url = std::move(url)](Reactor& reactor) {
    return std::make_unique<CurlClient>(reactor, url);
  };
}

CurlClient::CurlClient(Reactor& reactor, std::string url)
    : reactor_(reactor),
      url_(std::move(url)),
      timer_([](void* self, Time) noexcept { static_cast<CurlClient*>(self)->on_timer(); }, this),
      multi_(curl_multi_init()),
      fields_(common_fields()) {
  SLUICE_CHECK(multi_ != nullptr);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnectionsMax);
}

CurlClient::~CurlClient() {
  for (const auto& call : calls_) {
    curl_multi_remove_handle(multi_, call->easy);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->fields);
  }
  curl_multi_cleanup(multi_);
  curl_slist_free_all(fields_);
  for (const Socket& socket : sockets_) reactor_.unwatch(socket.watch);
}

// ---- requests

CurlClient::Call& CurlClient::take_call() {
  if (idle_.empty()) {
    calls_.push_back(std::make_unique<Call>());
    set_up(*calls_.back());
    idle_.push_back(calls_.back().get());
  }
  Call* call = idle_.back();
  idle_.pop_back();
  return *call;
}

void CurlClient::set_up(Call& call) {
  call.client = this;
  call.easy = curl_easy_init();
  SLUICE_CHECK(call.easy != nullptr);
  set(call.easy, CURLOPT_URL, url_.c_str());
  set(call.easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(call.easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(call.easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(call.easy, CURLOPT_PROXY, "");
  set(call.easy, CURLOPT_NOSIGNAL, 1L);
  set(call.easy, CURLOPT_QUICK_EXIT, 1L);  // a lookup that was given up is not joined
  set(call.easy, CURLOPT_DNS_CACHE_TIMEOUT, kAddressSeconds);
  set(call.easy, CURLOPT_USERAGENT, "sluice");
  set(call.easy, CURLOPT_POST, 1L);
  set(call.easy, CURLOPT_PRIVATE, &call);
  set(call.easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(call.easy, CURLOPT_WRITEDATA, &call);
  set(call.easy, CURLOPT_HEADERFUNCTION, &on_head);
  set(call.easy, CURLOPT_HEADERDATA, &call);
  set(call.easy, CURLOPT_RESOLVER_START_FUNCTION, &on_lookup);
  set(call.easy, CURLOPT_RESOLVER_START_DATA, &call);
  set(call.easy, CURLOPT_OPENSOCKETFUNCTION, &on_open);
  set(call.easy, CURLOPT_OPENSOCKETDATA, &call);
  set(call.easy, CURLOPT_PREREQFUNCTION, &on_request);
  set(call.easy, CURLOPT_PREREQDATA, &call);
}

void CurlClient::post(const HttpPost& post, HttpReplySink& sink) noexcept {
  Call& call = take_call();
  call.sink = &sink;
  call.request = post.request;
  call.json = post.json;
  call.reply_max = post.reply_max;
  call.deadline = reactor_.now() + post.timeout;
  call.body.clear();
  call.received = 0;
  call.is_once = post.is_once;
  call.is_sent = false;
  call.is_too_long = false;
  call.looked_up = false;
  set_fields(call, post.fields);
  if (looking_up_ != nullptr) {
    waiting_.push_back(&call);
    return;
  }
  start(call);
}

void CurlClient::set_fields(Call& call, std::string_view more) noexcept {
  if (!more.empty()) call.fields = common_fields();
  while (!more.empty()) {
    const std::size_t end = more.find('\n');
    append(call.fields, std::string(more.substr(0, end)).c_str());
    more.remove_prefix(end == std::string_view::npos ? more.size() : end + 1);
  }
  set(call.easy, CURLOPT_HTTPHEADER, call.fields != nullptr ? call.fields : fields_);
}

// Only adds it: libcurl asks for a timeout of zero at once, and all else happens from there.
void CurlClient::start(Call& call) noexcept {
  if (reactor_.now() >= address_until_) looking_up_ = &call;
  set(call.easy, CURLOPT_POSTFIELDS, call.json.data());
  set(call.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.json.size()));
  set(call.easy, CURLOPT_TIMEOUT_MS, milliseconds_left(reactor_.now(), call.deadline));
  const CURLMcode code = curl_multi_add_handle(multi_, call.easy);
  SLUICE_CHECK(code == CURLM_OK);
}

// ---- what drives libcurl

void CurlClient::on_ready(Handle watch, unsigned events) noexcept {
  Socket* socket = find_socket(watch);
  SLUICE_CHECK(socket != nullptr);
  socket->is_armed = false;
  drive(socket->descriptor, select_events(events));
  socket = find_socket(watch);  // libcurl may have closed it
  if (socket != nullptr && !socket->is_armed) {
    socket->is_armed = reactor_.watch_again(watch, socket->events);
  }
}

void CurlClient::on_timer() noexcept { drive(CURL_SOCKET_TIMEOUT, 0); }

void CurlClient::drive(curl_socket_t descriptor, int events) noexcept {
  int running = 0;
  curl_multi_socket_action(multi_, descriptor, events, &running);
  collect();
  // Each at once: one that finds an open connection lets the next go within this loop.
  while (looking_up_ == nullptr && !waiting_.empty()) {
    Call* next = waiting_.front();
    waiting_.pop_front();
    start(*next);
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    collect();
  }
}

void CurlClient::collect() noexcept {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Call* call = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
    curl_multi_remove_handle(multi_, call->easy);  // ends `message`
    finish(*call, code);
  }
}

void CurlClient::finish(Call& call, CURLcode code) noexcept {
  HttpReply answer;
  answer.kind = call.is_too_long ? HttpReply::Kind::kTooLong : kind_of(code);
  answer.is_sent = call.is_sent;
  if (answer.kind == HttpReply::Kind::kUnreachable && !call.is_sent) {
    answer.kind = HttpReply::Kind::kUnconnected;
  }
  if (looking_up_ == &call) {
    // Nobody asks again at once for what has just not been found.
    looking_up_ = nullptr;
    for (Call* waiting : std::exchange(waiting_, {})) reply(*waiting, answer);
  }
  long status = 0;
  curl_easy_getinfo(call.easy, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  answer.body = call.body;
  reply(call, answer);
}

void CurlClient::reply(Call& call, const HttpReply& answer) noexcept {
  call.sink->on_http_reply(call.request, answer);
  call.body = {};
  curl_slist_free_all(std::exchange(call.fields, nullptr));
  idle_.push_back(&call);
}

void CurlClient::has_address(Call& call) noexcept {
  if (looking_up_ != &call) return;
  looking_up_ = nullptr;
  if (call.looked_up) address_until_ = reactor_.now() + kAddressTrust;
}

// ---- what libcurl calls; nothing of it may be called back

int CurlClient::on_lookup(void*, void*, void* call) noexcept {
  static_cast<Call*>(call)->looked_up = true;
  return 0;
}

curl_socket_t CurlClient::on_open(void* data, curlsocktype, curl_sockaddr* address) noexcept {
  auto& call = *static_cast<Call*>(data);
  call.client->has_address(call);
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

// On a connection that was open already nothing else tells that no lookup is needed.
int CurlClient::on_request(void* data, char*, char*, int, int) noexcept {
  auto& call = *static_cast<Call*>(data);
  call.client->has_address(call);
  // libcurl tries again by itself if a connection that was open for others turns out to be dead.
  if (std::exchange(call.is_sent, true) && call.is_once) return CURL_PREREQFUNC_ABORT;
  return CURL_PREREQFUNC_OK;
}

std::size_t CurlClient::on_head(char*, std::size_t, std::size_t size, void* data) noexcept {
  auto& call = *static_cast<Call*>(data);
  call.received += size;
  call.is_too_long = call.received > call.reply_max;
  return call.is_too_long ? 0 : size;
}

std::size_t CurlClient::on_body(char* bytes, std::size_t, std::size_t size, void* data) noexcept {
  auto& call = *static_cast<Call*>(data);
  if (on_head(bytes, 1, size, data) != size) return 0;
  call.body.append(bytes, size);
  return size;
}

int CurlClient::on_timeout(CURLM*, long milliseconds, void* data) noexcept {
  auto& self = *static_cast<CurlClient*>(data);
  if (milliseconds < 0) {
    self.timer_.cancel();
  } else {
    const Time now = self.reactor_.now();
    self.reactor_.timers().arm(self.timer_, now + std::chrono::milliseconds(milliseconds));
  }
  return 0;
}

int CurlClient::on_socket(CURL*, curl_socket_t descriptor, int what, void* self, void*) noexcept {
  static_cast<CurlClient*>(self)->change_socket(descriptor, what);
  return 0;
}

// ---- descriptors

CurlClient::Socket* CurlClient::find_socket(Handle watch) noexcept {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [watch](const Socket& s) { return s.watch == watch; });
  return found == sockets_.end() ? nullptr : &*found;
}

void CurlClient::change_socket(int descriptor, int what) noexcept {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(), [descriptor](const Socket& s) {
    return s.descriptor == descriptor;
  });
  if (what == CURL_POLL_REMOVE) {
    if (found == sockets_.end()) return;
    reactor_.unwatch(found->watch);
    sockets_.erase(found);
    return;
  }
  const unsigned events = poll_events(what);
  if (found != sockets_.end()) {
    found->events = events;
    found->is_armed = reactor_.watch_again(found->watch, events);
    return;
  }
  // Without memory for a watch the requests on that descriptor run into their timeout.
  if (const auto watch = reactor_.watch(descriptor, events, *this)) {
    sockets_.push_back({descriptor, events, *watch, true});
  }
}

}  // namespace sluice
