#include "gateway/page_files.h"

#include <algorithm>
#include <array>

#include "gateway/pages.h"

namespace sluice {
namespace {

constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kStyle = "text/css; charset=utf-8";
constexpr std::string_view kImage = "image/svg+xml";

}  // namespace

std::span<const PageFile> page_files() noexcept {
  // The bytes are constants of another file, complete before main.
  static const std::array kFiles = {
      PageFile{"/pages/chat.css", kStyle, pages::kChatCss},
      PageFile{"/pages/chat.js", kScript, pages::kChatJs},
      PageFile{"/pages/common.js", kScript, pages::kCommonJs},
      PageFile{"/pages/history.js", kScript, pages::kHistoryJs},
      PageFile{"/pages/icon.svg", kImage, pages::kIconSvg},
      PageFile{"/pages/messages.js", kScript, pages::kMessagesJs},
      PageFile{"/pages/page.css", kStyle, pages::kPageCss},
      PageFile{"/pages/pending.js", kScript, pages::kPendingJs},
      PageFile{"/pages/people.js", kScript, pages::kPeopleJs},
      PageFile{"/pages/time.js", kScript, pages::kTimeJs},
      PageFile{"/pages/toy.css", kStyle, pages::kToyCss},
      PageFile{"/pages/toy.js", kScript, pages::kToyJs},
  };
  return kFiles;
}

const PageFile* page_file_at(std::string_view path) noexcept {
  const auto files = page_files();
  const auto found = std::ranges::find(files, path, &PageFile::path);
  return found == files.end() ? nullptr : &*found;
}

}  // namespace sluice
