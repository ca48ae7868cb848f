// The older form of the server API: POST /api with commands {"method":NAME,"params":{...}}, one a
// line.
//
// Decisions where the habits of clients say nothing: a body that is one object is one command, line
// breaks inside it included; empty lines are skipped; other members of a command are not looked at;
// `params` that is absent or null is an empty object; a batch is no method here.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "proto/api/errors.h"
#include "proto/api/request.h"

namespace sluice::api {

// How many commands a body has. Nothing if that is no sequence of JSON objects, or an empty one.
[[nodiscard]] std::optional<std::size_t> count_lines(std::string_view body) noexcept;

// Goes through the commands of a body. A value; refers to the body.
class LineWalk {
 public:
  // REQUIRES: count_lines counts them.
  explicit LineWalk(std::string_view body) noexcept;

  // The next command; nothing behind the last. A refusal takes the command's place in the answer:
  // kNotFound for a method that we do not know, kBadRequest for a member that stands twice.
  [[nodiscard]] std::optional<Result<Command, Refusal>> next() noexcept;

 private:
  std::string_view rest_;
};

}  // namespace sluice::api
