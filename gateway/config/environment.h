// The environment as settings: SLUICE_MAX_MESSAGE=16MiB.
#pragma once

#include <string>
#include <string_view>

#include "gateway/config/options.h"
#include "gateway/config/setting.h"

namespace sluice {

// In the table's order. An empty value counts as unset, as container tools pass what nobody filled
// in. A SLUICE_* name that no option has is an error, because a misspelt limit that silently does
// nothing is found at 3 a.m.; variables that an orchestrator makes for a service called sluice are
// left alone.
Result<Settings, std::string> read_environment(const Environment& environment);

// SLUICE_SERVICE_HOST, SLUICE_PORT=tcp://10.0.0.1:80, SLUICE_PORT_80_TCP_ADDR: what Kubernetes puts
// into every container beside a service of that name.
bool is_service_link(std::string_view name, std::string_view value);

}  // namespace sluice
