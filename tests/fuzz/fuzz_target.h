// What is fuzzed: functions that take any bytes and abort if something that must hold does not.
//
// Each target is one function, so that the same code runs under libFuzzer (./dev fuzz), over the
// corpora in the tree and over random changes of them (./dev test), and over one input by hand.
// A target uses SLUICE_CHECK for what must hold; the sanitizers see the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace sluice::fuzz {

struct Target {
  std::string_view name;  // also the folder of its corpus
  void (*run)(ConstBytes input);
};

std::span<const Target> targets() noexcept;
// Null if there is none of that name.
const Target* find_target(std::string_view name) noexcept;

// Takes choices off the front of the input. When it is used up, every further choice is 0.
class Choices {
 public:
  explicit Choices(ConstBytes input) noexcept : input_(input) {}

  bool is_empty() const noexcept { return input_.empty(); }
  std::uint8_t byte() noexcept {
    if (input_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(input_.front());
    input_ = input_.subspan(1);
    return value;
  }
  // REQUIRES: bound > 0; at most 65,536 of the values are ever chosen.
  std::size_t below(std::size_t bound) noexcept {
    const std::size_t high = bound > 256 ? byte() : 0;
    return (high << 8 | byte()) % bound;
  }
  ConstBytes take(std::size_t size) noexcept {
    const ConstBytes taken = input_.first(size < input_.size() ? size : input_.size());
    input_ = input_.subspan(taken.size());
    return taken;
  }
  ConstBytes rest() noexcept { return take(input_.size()); }

 private:
  ConstBytes input_;
};

// A copy of exactly these bytes, so that a sanitizer sees a read beyond them.
class ExactCopy {
 public:
  explicit ExactCopy(ConstBytes bytes);
  ConstBytes bytes() const noexcept { return {memory_.get(), size_}; }
  std::string_view text() const noexcept { return as_text(bytes()); }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_;
};

// Up to `count` ascending places at which to cut `size` bytes.
std::vector<std::size_t> draw_cuts(Choices& choices, std::size_t count, std::size_t size);

// The targets, a file each.
void http_request(ConstBytes input);
void handshake(ConstBytes input);
void frames(ConstBytes input);
void deflate_offer(ConstBytes input);
void deflate(ConstBytes input);
void utf8(ConstBytes input);
void chat(ConstBytes input);
void relay(ConstBytes input);
void robot(ConstBytes input);
void hook_answers(ConstBytes input);
void api(ConstBytes input);
void centrifuge_commands(ConstBytes input);
void tokens(ConstBytes input);
void configuration(ConstBytes input);
void session_state(ConstBytes input);
void instance(ConstBytes input);

}  // namespace sluice::fuzz
