// Why io_uring cannot be used here, as an operator needs to hear it.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

enum class UringFailure : std::uint8_t {
  kBlockedBySeccomp,  // EPERM although the sysctl allows it: a container's filter
  kBlockedBySysctl,   // kernel.io_uring_disabled
  kNotInKernel,       // ENOSYS: built without it, or a sandbox that hides it
  kTooOld,            // before 6.1
  kOutOfMemlock,      // RLIMIT_MEMLOCK leaves no room for the queues
  kOutOfDescriptors,  // EMFILE or ENFILE
  kSelfTestFailed,    // it is there and does not do what we need
};

struct UringError {
  UringFailure why = UringFailure::kSelfTestFailed;
  int number = 0;         // errno, 0 if there was none
  const char* step = "";  // what was tried, a literal

  // One clause: what is wrong, such as "io_uring is blocked by a seccomp filter (EPERM)".
  std::string text() const;
  // One clause: what to do about it.
  std::string remedy() const;
};

// Reads the reason out of the errno of io_uring_setup or io_uring_register.
UringError classify_uring_error(int number, const char* step);

}  // namespace sluice
