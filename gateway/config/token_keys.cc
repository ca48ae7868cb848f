#include "gateway/config/token_keys.h"

#include "gateway/config/file.h"

namespace sluice {
namespace {

constexpr std::size_t kKeyFileBytesMax = 64 * 1024;

void cut_line_break(std::string& key) {
  if (key.ends_with('\n')) key.pop_back();
  if (key.ends_with('\r')) key.pop_back();
}

}  // namespace

Result<std::vector<std::string>, std::string> read_token_keys(std::span<const std::string> paths) {
  std::vector<std::string> keys;
  for (const std::string& path : paths) {
    auto key = read_file(path, kKeyFileBytesMax);
    if (!key) {
      return fail("--token-key-file " + path + ": cannot be read: " + key.error().message());
    }
    cut_line_break(*key);
    if (key->empty()) {
      return fail("--token-key-file " + path +
                  ": is empty: write the secret of the tokens into it");
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace sluice
