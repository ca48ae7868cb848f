// The bare epoll loop: what a WebSocket echo or broadcast costs when nothing else is done.
//
// Edge-triggered epoll and one 512 KiB receive buffer for all connections, so it stays in the
// cache; a short read ends a connection's turn without asking again; an echo leaves from where it
// arrived; a broadcast is encoded once and leaves with one send per client and turn.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/floor/common/frames.h"
#include "bench/floor/common/handshake.h"
#include "bench/floor/common/listener.h"

namespace sluice::bare {
namespace {

constexpr std::size_t kBufferSize = 512u << 10;
constexpr std::size_t kUnsentMax = 64u << 20;  // a client that far behind is dropped
constexpr int kEventsMax = 1024;

struct Client {
  explicit Client(int descriptor) : fd(descriptor) {}

  int fd;
  bool is_open = false;     // the handshake is done
  bool is_closing = false;  // to be closed once `unsent` has left
  bool has_more = false;    // reading stopped before the socket was empty
  std::size_t subscriber_index = 0;
  std::vector<std::byte> rest;    // the start of a frame or of a request
  std::vector<std::byte> unsent;  // what the socket did not take
};

// Everything there is; lives on main's stack and its one thread.
class EpollFloor {
 public:
  EpollFloor(int listener, Mode mode) : listener_(listener), mode_(mode) {}
  int run();

 private:
  void accept_all();
  void on_event(const epoll_event& event);
  void read_from(Client& client, bool until_end);
  bool take(Client& client, std::size_t kept, std::size_t received);
  bool take_request(Client& client, Bytes input, std::size_t& consumed);
  bool take_frames(Client& client, Bytes input, std::size_t& consumed);
  bool send_to(Client& client, ConstBytes bytes);
  bool send_unsent(Client& client);
  void broadcast();
  void drop(Client& client);

  int listener_;
  Mode mode_;
  int epoll_ = -1;
  Handshake handshake_;
  std::vector<std::unique_ptr<Client>> clients_;  // by descriptor
  std::vector<Client*> subscribers_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBufferSize);
  std::vector<std::byte> shared_;  // this turn's broadcast
  std::vector<std::byte> own_;     // control frames for one client
  std::string answer_;
};

int EpollFloor::run() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.fd = listener_;
  if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &interest) != 0) {
    std::perror("epoll");
    return 1;
  }
  std::vector<epoll_event> events(kEventsMax);
  for (;;) {
    const int count = epoll_wait(epoll_, events.data(), kEventsMax, -1);
    if (count < 0 && errno != EINTR) {
      std::perror("epoll_wait");
      return 1;
    }
    for (int i = 0; i < count; ++i) {
      if (events[static_cast<std::size_t>(i)].data.fd == listener_) {
        accept_all();
      } else {
        on_event(events[static_cast<std::size_t>(i)]);
      }
    }
    if (!shared_.empty()) broadcast();
  }
}

void EpollFloor::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;  // EAGAIN, or a shortage that the next event tries again
    const auto index = static_cast<std::size_t>(fd);
    if (clients_.size() <= index) clients_.resize(index + 1);
    clients_[index] = std::make_unique<Client>(fd);
    epoll_event interest{};
    // EPOLLOUT costs nothing here: it fires only after a send has found the socket full.
    interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    interest.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest) != 0) drop(*clients_[index]);
  }
}

void EpollFloor::on_event(const epoll_event& event) {
  Client* client = clients_[static_cast<std::size_t>(event.data.fd)].get();
  if (client == nullptr) return;  // dropped earlier in this turn
  if ((event.events & EPOLLOUT) != 0 && !client->unsent.empty()) {
    if (!send_unsent(*client)) return drop(*client);
    if (client->unsent.empty() && client->has_more) return read_from(*client, true);
  }
  const bool has_ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if ((event.events & EPOLLIN) != 0 || has_ended) read_from(*client, has_ended);
}

// A read that leaves room in the buffer has emptied the socket: data that comes later is a new
// edge. Only when the end of the stream is known to be there must it be read to the end.
void EpollFloor::read_from(Client& client, bool until_end) {
  for (;;) {
    client.has_more = !client.unsent.empty();
    if (client.has_more) return;  // who does not read is not read from
    const std::size_t kept = client.rest.size();
    if (buffer_.size() < kept + kBufferSize) buffer_.resize(kept + kBufferSize);
    std::copy(client.rest.begin(), client.rest.end(), buffer_.begin());
    const std::size_t room = buffer_.size() - kept;
    const ssize_t received = recv(client.fd, buffer_.data() + kept, room, 0);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) return drop(client);
    const auto size = static_cast<std::size_t>(received);
    if (!take(client, kept, size)) return drop(client);
    if (size < room && !until_end) return;
  }
}

// Handles what the buffer holds: `kept` bytes from earlier and `received` new ones.
bool EpollFloor::take(Client& client, std::size_t kept, std::size_t received) {
  if (client.is_closing) return true;
  Bytes input(buffer_.data(), kept + received);
  std::size_t consumed = 0;
  if (!client.is_open) {
    if (!take_request(client, input, consumed)) return false;
    input = input.subspan(consumed);
  }
  if (client.is_open) {
    if (!take_frames(client, input, consumed)) return false;
    input = input.subspan(consumed);
  }
  client.rest.assign(input.begin(), input.end());
  return !client.is_closing || !client.unsent.empty();
}

bool EpollFloor::take_request(Client& client, Bytes input, std::size_t& consumed) {
  bool accepted = false;
  consumed = handshake_.answer(as_text(input), answer_, accepted);
  if (consumed == 0) return input.size() < kBufferSize;
  if (!send_to(client, as_bytes(answer_)) || !accepted) return false;
  client.is_open = true;
  if (mode_ == Mode::kBroadcast) {
    if (!shared_.empty()) broadcast();  // it was published before this client came
    client.subscriber_index = subscribers_.size();
    subscribers_.push_back(&client);
  }
  return true;
}

bool EpollFloor::take_frames(Client& client, Bytes input, std::size_t& consumed) {
  if (mode_ == Mode::kEcho) {
    const Echoed echoed = echo_in_place(input);
    consumed = echoed.consumed;
    client.is_closing = echoed.next == Next::kClose;
    if (!echoed.reply.empty() && !send_to(client, echoed.reply)) return false;
    return echoed.next != Next::kDrop;
  }
  own_.clear();
  const Collected collected = collect(input, shared_, own_);
  consumed = collected.consumed;
  client.is_closing = collected.next == Next::kClose;
  if (!own_.empty() && !send_to(client, own_)) return false;
  return collected.next != Next::kDrop;
}

bool EpollFloor::send_to(Client& client, ConstBytes bytes) {
  if (client.unsent.empty()) {
    const ssize_t sent = send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
    if (bytes.empty()) return true;
  }
  if (client.unsent.size() + bytes.size() > kUnsentMax) return false;
  client.unsent.insert(client.unsent.end(), bytes.begin(), bytes.end());
  return true;
}

bool EpollFloor::send_unsent(Client& client) {
  const ssize_t sent = send(client.fd, client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN;
  client.unsent.erase(client.unsent.begin(), client.unsent.begin() + sent);
  return !client.is_closing || !client.unsent.empty();
}

void EpollFloor::broadcast() {
  for (std::size_t i = 0; i < subscribers_.size();) {
    Client& client = *subscribers_[i];
    if (send_to(client, shared_)) {
      ++i;
    } else {
      drop(client);  // the last subscriber takes its place
    }
  }
  shared_.clear();
}

void EpollFloor::drop(Client& client) {
  if (client.is_open && mode_ == Mode::kBroadcast) {
    Client* last = subscribers_.back();
    last->subscriber_index = client.subscriber_index;
    subscribers_[client.subscriber_index] = last;
    subscribers_.pop_back();
  }
  const int fd = client.fd;
  clients_[static_cast<std::size_t>(fd)].reset();
  close(fd);
}

int run_epoll(int listener, Mode mode) { return EpollFloor(listener, mode).run(); }

}  // namespace
}  // namespace sluice::bare

int main(int argc, char** argv) {
  return sluice::bare::run_program(argc, argv, &sluice::bare::run_epoll);
}
