// What holds between the settings of hooks and others, and what their files hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "gateway/config/namespaces.h"
#include "gateway/hooks/hook_settings.h"

namespace sluice {

// Why a header field of that name cannot be passed on; null if it can.
const char* hook_header_fault(std::string_view name) noexcept;

// What is wrong between hooks and namespaces, with the remedy.
std::optional<std::string> hook_relation_fault(const HookSettings& hooks,
                                               const Namespaces& namespaces);

// The secrets in the files that the settings name, one a line. The error is one line with the
// remedy; it never has anything of a secret.
Result<std::vector<std::string>, std::string> read_hook_secrets(const HookSettings& hooks);

}  // namespace sluice
