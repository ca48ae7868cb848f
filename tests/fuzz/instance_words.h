// What any client may say to a fuzzed instance, in pieces: requests, and messages of the two
// dialects that have no ids.
#pragma once

#include <array>
#include <string_view>

#include "core/base/clock.h"

namespace sluice::fuzz {

inline constexpr std::array<std::string_view, 11> kPaths = {
    "/",        "/chat",   "/sendone", "/chat/history",     "/toy",    "/pages/chat.js",
    "/healthz", "/readyz", "/metrics", "/chat?after=1:%00", "/nowhere"};
inline constexpr std::array<std::string_view, 5> kOffers = {
    "", "", "permessage-deflate",
    "permessage-deflate; client_max_window_bits; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=9; client_no_context_takeover"};
inline constexpr std::array<std::string_view, 8> kFields = {"",
                                                            "",
                                                            "",
                                                            "Origin: http://localhost\r\n",
                                                            "Origin: https://pages.example\r\n",
                                                            "Origin: https://elsewhere.example\r\n",
                                                            "Sec-WebSocket-Version: 8\r\n",
                                                            "X-Forwarded-For: 10.0.0.1\r\n"};
inline constexpr std::array<std::string_view, 5> kMethods = {"GET", "HEAD", "POST", "DELETE",
                                                             "BREW"};
inline constexpr std::array<std::string_view, 7> kEnds = {
    "\r\n",
    "Content-Length: 3\r\n\r\nabc",
    "Content-Length: 900\r\nExpect: 100-continue\r\n\r\n",
    "Connection: close\r\n\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "X: "};
inline constexpr std::array<std::string_view, 7> kPhrases = {
    R"({"msg_type":"accept_","toy_id":"A"})",
    R"({"msg_type":"accept_","toy_id":"B","ack":true})",
    R"({"msg_type":"send_","to_user":"A","from_user":"B","n":1})",
    R"({"msg_type":"message","nickname":"n","message":"<b>","cur_time":"1"})",
    R"({"msg_type":"update_clients","nickname":"\ud83d\ude00"})",
    R"({"msg_type":"ack_","mid":"1-1"})",
    R"([1,2})"};

// And how long it may wait in between.
inline constexpr std::array<Duration, 6> kPauses = {
    std::chrono::microseconds(100), std::chrono::milliseconds(20), std::chrono::seconds(1),
    std::chrono::seconds(11),       std::chrono::seconds(35),      std::chrono::seconds(130)};

}  // namespace sluice::fuzz
