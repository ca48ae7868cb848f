#include "tests/gateway/api_world.h"

#include <regex>
#include <utility>

namespace sluice::test {

std::string post(const std::string& method, std::string_view body, const std::string& fields,
                 const std::string& version) {
  return request("POST /api" + (method.empty() ? "" : "/" + method) + " HTTP/" + version,
                 fields + "Content-Length: " + std::to_string(body.size()) + "\r\n") +
         std::string(body);
}

std::string without_epochs(const std::string& text) {
  static const std::regex kEpoch(R"("epoch":"[0-9]+")");
  return std::regex_replace(text, kEpoch, R"("epoch":"E")");
}

void ApiWorld::start_api(InstanceOptions options, const ListenerTraits& traits) {
  options.api_keys = {"secret", "other"};
  const std::vector<std::string> settings = {"news.history_messages=5", "news.presence=on",
                                             "plain.presence=off"};
  ASSERT_EQ(options.namespaces.set(settings), std::nullopt);
  start_with(std::move(options), traits);
}

Response ApiWorld::call(const std::string& method, std::string_view body,
                        const std::string& fields) {
  const auto responses = split(answer({post(method, body, fields)}));
  EXPECT_EQ(responses.size(), 1u) << method << ' ' << body;
  return responses.empty() ? Response() : responses[0];
}

std::string ApiWorld::ask(const std::string& method, std::string_view body) {
  const Response response = call(method, body);
  EXPECT_EQ(response.status, 200) << method << ' ' << body;
  EXPECT_EQ(response.field("Content-Type"), "application/json");
  return without_epochs(response.body);
}

std::string ApiWorld::epoch_of(const std::string& text) {
  const std::string start = R"("epoch":")";
  const std::size_t at = text.find(start);
  if (at == std::string::npos) return "";
  return text.substr(at + start.size(), text.find('"', at + start.size()) - at - start.size());
}

}  // namespace sluice::test
