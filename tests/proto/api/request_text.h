// A request in one line, for tests that compare what was read.
#pragma once

#include <string>
#include <string_view>

#include "proto/api/request.h"

namespace sluice::api {

// `to=ab data={"x": 1}`: members in a fixed order, those with their default left out; a user as
// `s:TEXT` or `n:NUMBER`, binary data in brackets.
std::string said(const Request& request);

// What the parser makes of a body: the same, or `!` and the text behind "bad request: ", and a
// second `!` if the body is malformed.
std::string said(RequestParser& parser, Method method, std::string_view body);

}  // namespace sluice::api
