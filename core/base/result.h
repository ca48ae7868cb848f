// The one result type of the project: a value, or a typed error, never an exception.
//
// An alias so that `std::expected` can take over the day every compiler we support has it.
#pragma once

#include <tl/expected.hpp>

namespace sluice {

template <class T, class E>
using Result = tl::expected<T, E>;

template <class E>
using Unexpected = tl::unexpected<E>;

// `return fail(error);` from a function that returns a Result.
template <class E>
[[nodiscard]] constexpr Unexpected<E> fail(E error) {
  return Unexpected<E>(std::move(error));
}

}  // namespace sluice
