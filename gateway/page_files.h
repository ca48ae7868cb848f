// What the pages load: scripts, styles and the icon, which travel in the binary like the pages
// themselves and are served under /pages/ to whom the pages are served. They are files of their own
// so that the Content-Security-Policy needs no exception for what is written inside a page.
//
// The bytes and names live as long as the program. A page names its files relative to itself, so
// that it works behind a proxy that puts it under a prefix.
#pragma once

#include <span>
#include <string_view>

namespace sluice {

struct PageFile {
  std::string_view path;
  std::string_view type;
  std::string_view bytes;
};

// All of them.
[[nodiscard]] std::span<const PageFile> page_files() noexcept;

// The file at a request's path, null when there is none.
[[nodiscard]] const PageFile* page_file_at(std::string_view path) noexcept;

}  // namespace sluice
