#include "gateway/config/namespaces.h"

#include <algorithm>

namespace sluice {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, kNamespaceCount> kNames = {"chat", "user"};
constexpr std::array<std::string_view, 3> kPolicies = {"disconnect", "drop-oldest", "drop-newest"};

template <std::size_t kSize>
std::optional<std::size_t> index_of(const std::array<std::string_view, kSize>& names,
                                    std::string_view name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::optional<std::string> Namespaces::set_slow_consumers(std::span<const std::string> settings) {
  std::array<std::optional<SlowConsumer>, kNamespaceCount> set;
  for (const std::string& setting : settings) {
    const auto fault = [&setting](std::string_view remedy) {
      return "cannot read '" + setting + "': " + std::string(remedy);
    };
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return fault("write a namespace and a policy, such as chat=drop-oldest");
    }
    const std::string_view text = setting;
    const auto name = index_of(kNames, text.substr(0, equals));
    if (!name) return fault("the namespaces are chat and user");
    const auto policy = index_of(kPolicies, text.substr(equals + 1));
    if (!policy) return fault("choose disconnect, drop-oldest or drop-newest");
    if (set[*name]) return fault("the namespace has a policy already: name it once");
    set[*name] = static_cast<SlowConsumer>(*policy);
  }
  for (std::size_t i = 0; i < kNamespaceCount; ++i) {
    options_[i].slow_consumer = set[i].value_or(ChannelOptions{}.slow_consumer);
  }
  return std::nullopt;
}

std::vector<std::string> Namespaces::slow_consumers() const {
  std::vector<std::string> settings;
  for (std::size_t i = 0; i < kNamespaceCount; ++i) {
    const auto policy = static_cast<std::size_t>(options_[i].slow_consumer);
    settings.push_back(std::string(kNames[i]) + "=" + std::string(kPolicies[policy]));
  }
  return settings;
}

}  // namespace sluice
