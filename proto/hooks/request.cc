#include "proto/hooks/request.h"

#include "proto/json/object.h"

namespace sluice::hooks {
namespace {

void put(json::Object& object, const Client& client) {
  object.text("client", client.id);
  object.text("transport", "websocket");
  object.text("protocol", "json");
  object.text("encoding", "json");
  object.optional_text("dialect", client.dialect);
}

}  // namespace

void append_connect(std::string& out, const Client& client, const Connect& connect) {
  json::Object object(out);
  put(object, client);
  object.optional_text("name", connect.name);
  object.optional_text("version", connect.version);
  object.optional_raw("data", connect.data);
  if (connect.channels.empty()) return;
  json::append_array(object.member("channels"), connect.channels, json::append_string);
}

// It is known who the client is, so `user` is always said.
void append_in_channel(std::string& out, const Client& client, std::string_view channel,
                       std::string_view data) {
  json::Object object(out);
  put(object, client);
  object.text("user", client.user);
  object.text("channel", channel);
  object.optional_raw("data", data);
}

}  // namespace sluice::hooks
