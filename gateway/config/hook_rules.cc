#include "gateway/config/hook_rules.h"

#include <array>

#include "gateway/config/secret_lines.h"
#include "proto/http/text.h"

namespace sluice {
namespace {

// Each is signed with all of them.
constexpr std::size_t kSecretsMax = 8;

// What the request itself says, or what belongs to the connection that the client has.
constexpr std::array<std::string_view, 12> kOwnFields = {
    "Accept",           "Connection", "Content-Length",    "Content-Type", "Expect",  "Host",
    "Sluice-Signature", "TE",         "Transfer-Encoding", "Trailer",      "Upgrade", "Keep-Alive"};

std::optional<std::string> lacks_hook(const Namespaces& namespaces, bool ChannelOptions::*is_on,
                                      const std::string& name) {
  const std::string* const one = namespaces.find_with(is_on);
  if (one == nullptr) return std::nullopt;
  return "the namespace '" + *one + "' has " + name + "_hook but there is no hook: set --hook-" +
         name + "-url or turn it off";
}

}  // namespace

const char* hook_header_fault(std::string_view name) noexcept {
  if (!http::is_token(name)) return "write the name of a header field, such as Cookie";
  for (const std::string_view own : kOwnFields) {
    if (http::equals_ignoring_case(own, name)) return "that field is the request's own";
  }
  return nullptr;
}

std::optional<std::string> hook_relation_fault(const HookSettings& hooks,
                                               const Namespaces& namespaces) {
  if (!hooks.has(HookKind::kSubscribe)) {
    if (auto fault = lacks_hook(namespaces, &ChannelOptions::subscribe_hook, "subscribe")) {
      return fault;
    }
  }
  if (hooks.has(HookKind::kPublish)) return std::nullopt;
  return lacks_hook(namespaces, &ChannelOptions::publish_hook, "publish");
}

Result<std::vector<std::string>, std::string> read_hook_secrets(const HookSettings& hooks) {
  auto secrets = read_secret_lines("--hook-secret-file", hooks.secret_files);
  if (secrets && secrets->size() > kSecretsMax) {
    return fail("--hook-secret-file: more than " + std::to_string(kSecretsMax) +
                " secrets: remove those that nobody knows any more");
  }
  return secrets;
}

}  // namespace sluice
