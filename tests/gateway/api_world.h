// A shard with the server API, for tests of what application servers get.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/gateway/http_world.h"

namespace sluice::test {

inline const std::string kKey = "X-API-Key: secret\r\n";

// Errors, as the bodies of answers.
inline const std::string kUnknown = R"({"error":{"code":102,"message":"unknown channel"}})";
inline const std::string kNotAvailable = R"({"error":{"code":108,"message":"not available"}})";
inline std::string bad(const std::string& what) {
  return R"({"error":{"code":107,"message":"bad request: )" + what + R"("}})";
}

// A call as the usual libraries make it; without a method, of commands in lines.
std::string post(const std::string& method, std::string_view body, const std::string& fields = kKey,
                 const std::string& version = "1.1");
// What stands there with every epoch as "E": they differ from run to run.
std::string without_epochs(const std::string& text);

class ApiWorld : public HttpWorld {
 protected:
  // Keys `secret` and `other`; the namespaces `news` (history, presence) and `plain`.
  void start_api(InstanceOptions options = {}, const ListenerTraits& traits = {true, true});
  // The one answer to a call on a connection of its own.
  Response call(const std::string& method, std::string_view body, const std::string& fields = kKey);
  // Its body, without_epochs. Expects status 200 and JSON.
  std::string ask(const std::string& method, std::string_view body);
  // The value of the first `"epoch":"..."` in an answer.
  static std::string epoch_of(const std::string& text);
  std::uint64_t errors(api::ErrorCode code) {
    return shard().counters().api_errors[api_error_index(code)].value();
  }
};

}  // namespace sluice::test
