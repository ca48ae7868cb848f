#include "proto/http/request_error.h"

#include <array>

namespace sluice::http {
namespace {

// In the order of the enumeration.
constexpr std::array<RequestErrorInfo, kRequestErrorCount> kInfos = {{
    {400, "bad_request_line", "malformed request line"},
    {400, "bad_target", "malformed request target"},
    {400, "bad_version", "malformed HTTP version"},
    {505, "unsupported_version", "only HTTP/1.1 and HTTP/1.0 are spoken here"},
    {400, "bad_field_name", "malformed header field name"},
    {400, "bad_field_value", "control character in a header field"},
    {400, "folded_field", "folded header field"},
    {400, "bad_line_end", "lines must end in CR LF"},
    {400, "missing_host", "Host is missing"},
    {400, "duplicate_host", "Host is there more than once"},
    {400, "bad_host", "malformed Host"},
    {400, "bad_content_length", "malformed or repeated Content-Length"},
    {400, "conflicting_framing", "Transfer-Encoding contradicts Content-Length or the version"},
    {400, "bad_transfer_encoding", "Transfer-Encoding must end in chunked, which is there once"},
    {411, "length_required", "a body needs a Content-Length here"},
    {501, "transfer_encoding", "transfer codings are not supported"},
    {413, "body_too_big", "request body is too big"},
    {414, "request_line_too_long", "request line is too long"},
    {431, "head_too_big", "request head is too big"},
    {431, "too_many_fields", "too many header fields"},
}};

}  // namespace

const RequestErrorInfo& describe(RequestError error) noexcept {
  return kInfos[static_cast<std::size_t>(error)];
}

}  // namespace sluice::http
