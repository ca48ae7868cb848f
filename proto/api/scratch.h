// What a request needs beside its body: strings without their escapes, decoded bytes, and lists.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::api {

struct Tag {
  std::string_view name;
  std::string_view value;
};

// The memory of one parser, which it uses again for each request. What it has decoded of one body
// is together no longer than that body, so one block of the body's size is enough.
class Scratch {
 public:
  // Forgets the last request; a body of so many bytes is read next.
  void begin(std::size_t body_bytes) noexcept {
    body_bytes_ = body_bytes;
    used_ = 0;
    tags.clear();
    texts.clear();
  }

  // The room that is left. What was handed out before stays where it is.
  std::span<char> room() {
    if (text_.size() < body_bytes_) text_.resize(body_bytes_);  // before anything is handed out
    return std::span(text_).subspan(used_);
  }
  // So many bytes of the room are taken.
  void take(std::size_t bytes) noexcept { used_ += bytes; }

  std::vector<Tag> tags;
  std::vector<std::string_view> texts;  // channels, client ids

 private:
  std::vector<char> text_;
  std::size_t body_bytes_ = 0;
  std::size_t used_ = 0;
};

}  // namespace sluice::api
