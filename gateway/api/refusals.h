// The refusals of the server API that do not depend on what was asked.
#pragma once

#include "proto/api/errors.h"

namespace sluice {

inline constexpr api::Refusal kUnknownChannel{api::ErrorCode::kUnknownChannel, {}, {}, false};
// The channel is not of that kind, we do not do this, or the answer would be too long.
inline constexpr api::Refusal kNotAvailable{api::ErrorCode::kNotAvailable, {}, {}, false};
inline constexpr api::Refusal kUnrecoverable{api::ErrorCode::kUnrecoverablePosition, {}, {}, false};
// There is no room for it now; the request may be made again.
inline constexpr api::Refusal kUnavailable{api::ErrorCode::kInternal, {}, {}, false};

}  // namespace sluice
