#include "gateway/config/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sluice {
namespace {

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

}  // namespace

Result<std::string, std::error_code> read_file(const std::string& path, std::size_t size_max) {
  // Not blocking: a FIFO that nobody writes to must not hang the start.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return fail(last_error());
  std::string content;
  std::array<char, 4096> piece;
  std::error_code error;
  while (true) {
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = last_error();
    if (count <= 0) break;
    content.append(piece.data(), static_cast<std::size_t>(count));
    if (content.size() > size_max) {
      error = std::make_error_code(std::errc::file_too_large);
      break;
    }
  }
  ::close(descriptor);
  if (error) return fail(error);
  return content;
}

}  // namespace sluice
