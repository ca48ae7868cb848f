#include "tests/core/backend_suite_driver.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice {

void SuiteDriver::wait(Duration longest) {
  inside_ = true;
  backend_.wait(longest);
  inside_ = false;
}

void SuiteDriver::submit() {
  inside_ = true;
  backend_.submit();
  inside_ = false;
}

Handle SuiteDriver::listen(int descriptor) {
  const auto made = backend_.listen(descriptor);
  EXPECT_TRUE(made.has_value());
  if (!made) return {};
  listeners_[*made] = true;
  return *made;
}

void SuiteDriver::close_listener(Handle listener) {
  listeners_[listener] = false;
  backend_.close_listener(listener);
}

SuiteDriver::Connection& SuiteDriver::add(Handle connection) {
  EXPECT_TRUE(static_cast<bool>(connection));
  EXPECT_FALSE(connections_.contains(connection)) << "a handle was given out twice";
  return connections_[connection];
}

SuiteDriver::Connection& SuiteDriver::at(Handle connection) {
  EXPECT_TRUE(connections_.contains(connection));
  return connections_[connection];
}

std::size_t SuiteDriver::receiving_or_open() const {
  return static_cast<std::size_t>(std::count_if(
      connections_.begin(), connections_.end(),
      [](const auto& entry) { return !entry.second.closed && !entry.second.released; }));
}

Handle SuiteDriver::connect(const SocketAddress& address) {
  const auto made = backend_.connect(address);
  EXPECT_TRUE(made.has_value());
  if (!made) return {};
  add(*made).connecting = true;
  return *made;
}

Handle SuiteDriver::adopt(int descriptor, std::string_view undelivered) {
  std::string copy(undelivered);
  const auto made = backend_.adopt(descriptor, as_bytes(copy));
  std::fill(copy.begin(), copy.end(), '!');  // "is copied"
  EXPECT_TRUE(made.has_value());
  if (!made) return {};
  add(*made);
  return *made;
}

void SuiteDriver::start_receive(Handle connection) {
  at(connection).receiving = true;
  at(connection).stop_asked = false;
  backend_.start_receive(connection);
}

void SuiteDriver::stop_receive(Handle connection) {
  at(connection).stop_asked = true;
  backend_.stop_receive(connection);
}

void SuiteDriver::send(Handle handle, std::vector<std::string> pieces, SendMode mode) {
  Connection& connection = at(handle);
  connection.sending = true;
  connection.send_mode = mode;
  connection.pieces = std::move(pieces);
  connection.given = 0;
  std::vector<iovec> vectors;
  for (std::string& piece : connection.pieces) {
    connection.given += piece.size();
    vectors.push_back({piece.data(), piece.size()});
  }
  backend_.send(handle, vectors, mode);
  std::fill(vectors.begin(), vectors.end(), iovec{});  // "the array need not stay"
}

void SuiteDriver::write(Handle handle, std::string_view bytes) {
  Connection& connection = at(handle);
  connection.unwritten += bytes;
  if (!connection.sending) write_more(handle);
}

void SuiteDriver::write_more(Handle handle) {
  constexpr std::size_t kAtOnce = 256 * 1024;
  Connection& connection = at(handle);
  if (connection.unwritten.empty() || connection.ending) return;
  const bool was_short = connection.sends_done > 0 && connection.last_sent < connection.given;
  send(handle, {connection.unwritten.substr(0, kAtOnce)},
       was_short ? SendMode::kWait : SendMode::kTry);
}

void SuiteDriver::shutdown_send(Handle connection) { backend_.shutdown_send(connection); }

void SuiteDriver::close(Handle connection, CloseMode mode) {
  at(connection).ending = true;
  backend_.close(connection, mode);
}

void SuiteDriver::release(Handle connection) {
  at(connection).ending = true;
  backend_.release(connection);
}

Handle SuiteDriver::poll(int descriptor, unsigned events) {
  const auto made = backend_.poll(descriptor, events);
  EXPECT_TRUE(made.has_value());
  return made ? *made : Handle{};
}

// ---- events

SuiteDriver::Connection& SuiteDriver::told(Handle handle, const char* event) {
  EXPECT_TRUE(inside_) << event << " outside of wait and submit";
  EXPECT_TRUE(connections_.contains(handle)) << event << " for an unknown handle";
  Connection& connection = connections_[handle];
  EXPECT_FALSE(connection.ending) << event << " after close or release was called";
  EXPECT_FALSE(connection.closed || connection.released) << event << " for a dead handle";
  return connection;
}

SuiteDriver::Connection& SuiteDriver::ended(Handle handle, const char* event) {
  EXPECT_TRUE(inside_) << event << " outside of wait and submit";
  EXPECT_TRUE(connections_.contains(handle)) << event << " for an unknown handle";
  Connection& connection = connections_[handle];
  EXPECT_TRUE(connection.ending) << event << " without being asked";
  EXPECT_FALSE(connection.closed || connection.released) << event << " for a dead handle";
  // The bytes of a send under way are ours again.
  for (std::string& piece : connection.pieces) std::fill(piece.begin(), piece.end(), '#');
  connection.receiving = connection.sending = false;
  return connection;
}

void SuiteDriver::on_accept(Handle listener, Handle handle, const SocketAddress& peer) noexcept {
  EXPECT_TRUE(inside_);
  EXPECT_TRUE(listeners_.contains(listener) && listeners_[listener])
      << "on_accept of an unknown or closed listener";
  Connection& connection = add(handle);
  connection.peer = peer;
  connection.listener = listener;
  accepted.push_back(handle);
  if (receive_all) start_receive(handle);
  if (hooks.accept) hooks.accept(handle);
}

void SuiteDriver::on_accept_paused(Handle listener, std::error_code error) noexcept {
  EXPECT_TRUE(inside_);
  EXPECT_TRUE(listeners_.contains(listener) && listeners_[listener]);
  EXPECT_TRUE(static_cast<bool>(error));
  accept_pauses.emplace_back(listener, error);
}

void SuiteDriver::on_connect(Handle handle, std::error_code error) noexcept {
  Connection& connection = told(handle, "on_connect");
  EXPECT_TRUE(connection.connecting) << "on_connect twice";
  connection.connecting = false;
  connection.connect_error = error;
  if (hooks.connect) hooks.connect(handle);
}

void SuiteDriver::on_receive(Handle handle, Bytes bytes) noexcept {
  Connection& connection = told(handle, "on_receive");
  EXPECT_TRUE(connection.receiving) << "on_receive while not receiving";
  EXPECT_FALSE(bytes.empty());
  connection.received += as_text(bytes);
  const volatile std::byte* slack = bytes.data() + bytes.size();
  for (std::size_t i = 0; i < kReadSlack; ++i) slack_sum += static_cast<unsigned>(slack[i]);
  const std::string echoed(echo ? as_text(bytes) : std::string_view{});
  std::fill(bytes.begin(), bytes.end(), std::byte{'?'});
  if (echo) write(handle, echoed);
  if (hooks.receive) hooks.receive(handle);
}

void SuiteDriver::on_receive_end(Handle handle, ReceiveEnd end, std::error_code error) noexcept {
  Connection& connection = told(handle, "on_receive_end");
  EXPECT_TRUE(connection.receiving) << "on_receive_end while not receiving";
  EXPECT_TRUE(end != ReceiveEnd::kStopped || connection.stop_asked);
  EXPECT_EQ(end == ReceiveEnd::kError, static_cast<bool>(error)) << error.message();
  connection.receiving = false;
  connection.stop_asked = false;
  connection.end = end;
  connection.end_error = error;
  ++connection.receive_ends;
  if (hooks.receive_end) hooks.receive_end(handle);
}

void SuiteDriver::on_send(Handle handle, std::size_t sent, std::error_code error) noexcept {
  Connection& connection = told(handle, "on_send");
  EXPECT_TRUE(connection.sending) << "on_send without a send";
  EXPECT_LE(sent, connection.given);
  EXPECT_TRUE(sent > 0 || error || connection.send_mode == SendMode::kTry);
  for (std::string& piece : connection.pieces) std::fill(piece.begin(), piece.end(), '#');
  connection.sending = false;
  connection.last_sent = sent;
  connection.sent += sent;
  connection.send_error = error;
  ++connection.sends_done;
  connection.unwritten.erase(0, std::min(sent, connection.unwritten.size()));
  if (error) {
    connection.unwritten.clear();
  } else {
    write_more(handle);
  }
  if (hooks.send) hooks.send(handle);
}

void SuiteDriver::on_poll(Handle poll, unsigned events) noexcept {
  EXPECT_TRUE(inside_);
  polls.emplace_back(poll, events);
  if (hooks.poll) hooks.poll(poll);
}

void SuiteDriver::on_close(Handle handle) noexcept { ended(handle, "on_close").closed = true; }

void SuiteDriver::on_release(Handle handle, const Released& released) noexcept {
  Connection& connection = ended(handle, "on_release");
  EXPECT_LE(released.sent, connection.given);
  connection.sent += released.sent;
  connection.last_sent = released.sent;
  connection.unwritten.erase(0, std::min(released.sent, connection.unwritten.size()));
  connection.descriptor = released.descriptor;
  connection.undelivered = as_text(released.undelivered);
  connection.released = true;
  if (hooks.release) hooks.release(handle);
}

}  // namespace sluice
