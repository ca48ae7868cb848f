#include "core/uring/uring_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace sluice {
namespace {

// kernel.io_uring_disabled (6.6): 0 for all, 1 for a group, 2 for nobody. Missing means 0.
char io_uring_disabled() noexcept {
  const int file = ::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
  if (file < 0) return '0';
  char value = '0';
  const bool ok = ::read(file, &value, 1) == 1;
  ::close(file);
  return ok ? value : '0';
}

std::string with_error(std::string_view what, const UringError& error) {
  std::string text(what);
  if (error.number == 0) return text + " (" + error.step + ")";
  const char* name = ::strerrorname_np(error.number);
  return text + " (" + error.step + ": " + (name != nullptr ? name : "unknown error") + ")";
}

}  // namespace

UringError classify_uring_error(int number, const char* step) {
  switch (number) {
    case EPERM:
    case EACCES:
      return {io_uring_disabled() == '0' ? UringFailure::kBlockedBySeccomp
                                         : UringFailure::kBlockedBySysctl,
              number, step};
    case ENOSYS:
      return {UringFailure::kNotInKernel, number, step};
    case EINVAL:
    case EOPNOTSUPP:
      return {UringFailure::kTooOld, number, step};
    case ENOMEM:
      return {UringFailure::kOutOfMemlock, number, step};
    case EMFILE:
    case ENFILE:
      return {UringFailure::kOutOfDescriptors, number, step};
    default:
      return {UringFailure::kSelfTestFailed, number, step};
  }
}

std::string UringError::text() const {
  switch (why) {
    case UringFailure::kBlockedBySeccomp:
      return with_error("io_uring is blocked by a seccomp filter", *this);
    case UringFailure::kBlockedBySysctl:
      return with_error(std::string("io_uring is disabled by sysctl kernel.io_uring_disabled=") +
                            io_uring_disabled() +
                            (io_uring_disabled() == '1' ? ", or by a seccomp filter" : ""),
                        *this);
    case UringFailure::kNotInKernel:
      return with_error("this kernel or sandbox has no io_uring", *this);
    case UringFailure::kTooOld:
      return with_error("the kernel's io_uring is too old, 6.1 is needed", *this);
    case UringFailure::kOutOfMemlock:
      return with_error("locked memory for io_uring is used up", *this);
    case UringFailure::kOutOfDescriptors:
      return with_error("descriptors for io_uring are used up", *this);
    case UringFailure::kSelfTestFailed:
      return with_error("io_uring failed its self-test", *this);
  }
  return {};
}

std::string UringError::remedy() const {
  switch (why) {
    case UringFailure::kBlockedBySeccomp:
      return "allow io_uring_setup, io_uring_enter and io_uring_register in the container's "
             "seccomp "
             "profile, or use --backend epoll";
    case UringFailure::kBlockedBySysctl:
      return "set sysctl kernel.io_uring_disabled=0, or use --backend epoll";
    case UringFailure::kOutOfMemlock:
      return "raise the limit on locked memory (ulimit -l, or docker run --ulimit memlock), or use "
             "--backend epoll";
    case UringFailure::kOutOfDescriptors:
      return "raise the limit on open files (ulimit -n)";
    case UringFailure::kNotInKernel:
    case UringFailure::kTooOld:
    case UringFailure::kSelfTestFailed:
      return "use --backend epoll, or a kernel from 6.1 on";
  }
  return {};
}

}  // namespace sluice
