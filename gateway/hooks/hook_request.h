// What requests to all hooks have in common.
#pragma once

#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/reactor.h"
#include "gateway/hooks/hook_kind.h"
#include "gateway/http_client.h"
#include "proto/hooks/signature.h"

namespace sluice {

// What became of a request, as far as HTTP tells. kAllowed: the status is from 200 to `status_max`.
HookOutcome outcome_of(const HttpReply& reply, int status_max) noexcept;

// How long to wait before the next try: from half of `longest` to all of it, so that those who
// found the server dead together do not come back together.
Duration draw_pause(Random& random, Duration longest) noexcept;

// Appends the signature of `body`, which is sent now, to header fields.
void append_signature(std::string& fields, hooks::Signer& signer, const Reactor& reactor,
                      std::string_view body);

}  // namespace sluice
