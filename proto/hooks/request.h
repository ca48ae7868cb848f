// What an application server is asked before something happens: the bodies of the requests to its
// hooks.
//
// Members have the names of Centrifugo's proxy requests, so that backends written for those
// understand them; `dialect` is ours and stands there for clients of our own protocols only.
//
//   connect    {"client":"...","transport":"websocket","protocol":"json","encoding":"json",
//               "name":"js","version":"1","data":{},"channels":["news"]}
//   subscribe  the first four, "user", "channel", and "data" if the client sent some
//   publish    the same
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::hooks {

// Who wants something. Texts are valid UTF-8, here and below.
struct Client {
  std::string_view id = {};       // a UUID
  std::string_view user = {};     // empty: anonymous, or not known yet
  std::string_view dialect = {};  // of ours; empty for the Centrifuge protocol
};

struct Connect {
  std::string_view name = {};
  std::string_view version = {};
  std::string_view data = {};                       // raw JSON; empty: none
  std::span<const std::string_view> channels = {};  // that it wants the server to subscribe it to
};

void append_connect(std::string& out, const Client& client, const Connect& connect);
// Of subscribe and publish, which say the same. `data`: raw JSON; empty: none.
void append_in_channel(std::string& out, const Client& client, std::string_view channel,
                       std::string_view data);

}  // namespace sluice::hooks
