// What a robot may be: where it is asked, and what it is called.
#pragma once

#include <optional>
#include <string>

namespace sluice {

// What is wrong with `url`, with the remedy; nothing if libcurl can POST to it over http or https.
// Does not repeat the URL, which may hold a secret.
std::optional<std::string> robot_url_fault(const std::string& url);

// What is wrong with `name`, with the remedy; nothing if it can be a nickname.
std::optional<std::string> robot_name_fault(const std::string& name);

}  // namespace sluice
