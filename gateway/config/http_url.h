// Which URLs the gateway can ask: those of the robot and of hooks.
#pragma once

#include <optional>
#include <string>

namespace sluice {

// What is wrong with `url`, with the remedy; nothing if libcurl can POST to it over http or https.
// Does not repeat the URL, which may hold a secret.
std::optional<std::string> http_url_fault(const std::string& url);

}  // namespace sluice
