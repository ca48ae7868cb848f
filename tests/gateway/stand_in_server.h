// An HTTP server for tests that answers each request with given bytes: right, wrong, or none at
// all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::test {

// Serves 127.0.0.1 on a free port from a thread of its own; one connection at a time is read, and
// all stay open as long as their answers say. Used by the test's thread.
class StandInServer {
 public:
  // As an answer: the connection is closed instead.
  static constexpr std::string_view kHangUp = "hang up";

  // `answer` gets a whole request and returns what is sent back; "": nothing, and the connection
  // stays.
  explicit StandInServer(std::function<std::string(const std::string& request)> answer);
  ~StandInServer();
  StandInServer(const StandInServer&) = delete;
  StandInServer& operator=(const StandInServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& host = "127.0.0.1") const;
  std::vector<std::string> requests() const;
  int connections() const { return connections_.load(); }

 private:
  void serve();
  bool read_from(int socket, std::string& rest);

  const std::function<std::string(const std::string&)> answer_;
  int listener_ = -1;
  int stop_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// A whole answer.
std::string http_answer(const std::string& body, int status = 200, const std::string& fields = {});

}  // namespace sluice::test
