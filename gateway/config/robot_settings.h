// What a robot may be called.
#pragma once

#include <optional>
#include <string>

namespace sluice {

// What is wrong with `name`, with the remedy; nothing if it can be a nickname.
std::optional<std::string> robot_name_fault(const std::string& name);

}  // namespace sluice
