// The few socket calls that more than one Backend makes, without their C ceremony.
//
// None of these touches a Backend's state. Errors come back as error codes; nothing throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/socket_address.h"

namespace sluice {

inline std::error_code system_error(int number) noexcept {
  return {number, std::system_category()};
}

// Bytes that arrived at another Backend and travel with their connection until they are delivered.
class CarriedBytes {
 public:
  CarriedBytes() = default;
  // Leaves `other` empty.
  CarriedBytes(CarriedBytes&& other) noexcept
      : storage_(std::move(other.storage_)), size_(std::exchange(other.size_, 0)) {}
  CarriedBytes& operator=(CarriedBytes&& other) noexcept {
    storage_ = std::move(other.storage_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  // Copies `bytes` to the end of what is there; keeps kReadSlack readable bytes after them.
  void append(ConstBytes bytes);
  bool empty() const noexcept { return size_ == 0; }
  Bytes view() noexcept { return {storage_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> storage_;
  std::size_t size_ = 0;
};

// A non-blocking TCP socket for an outgoing connection, Nagle's algorithm off. The error is a
// shortage of descriptors or memory, or EAFNOSUPPORT for an address that is neither IPv4 nor IPv6.
Result<int, std::error_code> open_outgoing_socket(const SocketAddress& address) noexcept;

// Makes the next close() send RST and discard what is unsent.
void set_abortive_close(int descriptor) noexcept;

// Takes the error that a socket has pending; 0 if there is none.
int take_socket_error(int descriptor) noexcept;

// What accept(2) may answer:
enum class AcceptFailure : std::uint8_t {
  kNobodyThere,  // the queue is empty
  kClientGone,   // that one connection failed before we took it; the next may be fine
  kShortage,     // descriptors or memory: trying again at once would spin
};
AcceptFailure classify_accept_error(int number) noexcept;

}  // namespace sluice
