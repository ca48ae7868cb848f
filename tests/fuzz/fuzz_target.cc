#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <array>

namespace sluice::fuzz {
namespace {

constexpr std::array kTargets = {
    Target{"http_request", http_request},
    Target{"handshake", handshake},
    Target{"frames", frames},
    Target{"deflate_offer", deflate_offer},
    Target{"deflate", deflate},
    Target{"utf8", utf8},
    Target{"chat", chat},
    Target{"relay", relay},
    Target{"robot", robot},
    Target{"hooks", hook_answers},
    Target{"api", api},
    Target{"centrifuge", centrifuge_commands},
    Target{"token", tokens},
    Target{"configuration", configuration},
    Target{"session_state", session_state},
    Target{"instance", instance},
};

}  // namespace

std::span<const Target> targets() noexcept { return kTargets; }

const Target* find_target(std::string_view name) noexcept {
  const auto found = std::find_if(kTargets.begin(), kTargets.end(),
                                  [&](const Target& t) { return t.name == name; });
  return found == kTargets.end() ? nullptr : &*found;
}

ExactCopy::ExactCopy(ConstBytes bytes)
    : memory_(std::make_unique<std::byte[]>(bytes.size())), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), memory_.get());
}

std::vector<std::size_t> draw_cuts(Choices& choices, std::size_t count, std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 0; i < count; ++i) cuts.push_back(choices.below(size + 1));
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

}  // namespace sluice::fuzz
