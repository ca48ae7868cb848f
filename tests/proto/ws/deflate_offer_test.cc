// RFC 7692 7.1, clause by clause; the field's syntax is RFC 6455 9.1.
#include "proto/ws/deflate_offer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/http/request_parser.h"

namespace sluice::test {
namespace {

using ws::DeflateSettings;

// The answer to the fields' values, or "" if every offer is declined.
std::string answer(const std::vector<std::string>& values, const DeflateSettings& settings) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (const std::string& value : values) head += "Sec-WebSocket-Extensions: " + value + "\r\n";
  head += "\r\n";
  http::RequestParser parser(Simd::detect());
  EXPECT_EQ(parser.parse(as_bytes(head)), http::Progress::kComplete);
  const auto agreed = ws::choose_deflate(parser.request(), settings);
  std::string out;
  if (agreed) ws::append_deflate_answer(out, *agreed);
  return out;
}

constexpr DeflateSettings kAlone{.window_bits = 15, .takeover = true};
constexpr DeflateSettings kSmall{.window_bits = 12, .takeover = true};
constexpr DeflateSettings kShared{.window_bits = 12, .takeover = false};

std::string alone(const std::string& value) { return answer({value}, kAlone); }
std::string small(const std::string& value) { return answer({value}, kSmall); }
std::string shared(const std::string& value) { return answer({value}, kShared); }

constexpr const char* kPlain = "permessage-deflate";
constexpr const char* kSharedAnswer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

TEST(DeflateOffer, WithoutAnOfferThereIsNoAnswer) {
  EXPECT_EQ(answer({}, kAlone), "");
  EXPECT_EQ(alone(""), "");
  EXPECT_EQ(alone(" , ,"), "");
  EXPECT_EQ(alone("permessage-bzip2"), "");
  EXPECT_EQ(alone("x-webkit-deflate-frame"), "");
  EXPECT_EQ(alone("permessage-deflate2"), "");
  EXPECT_EQ(alone("\"permessage-deflate\""), "");
}

TEST(DeflateOffer, ThePlainestIsAccepted) {
  EXPECT_EQ(alone("permessage-deflate"), kPlain);
  EXPECT_EQ(shared("permessage-deflate"), kSharedAnswer);
}

TEST(DeflateOffer, Section711ServerNoContextTakeoverMustBeGranted) {
  EXPECT_EQ(alone("permessage-deflate; server_no_context_takeover"),
            "permessage-deflate; server_no_context_takeover");
}

TEST(DeflateOffer, Section711ServerNoContextTakeoverMayBeAnsweredUnasked) {
  EXPECT_EQ(shared("permessage-deflate; client_max_window_bits"),
            std::string(kSharedAnswer) + "; client_max_window_bits=12");
}

TEST(DeflateOffer, Section711ClientNoContextTakeoverIsGranted) {
  EXPECT_EQ(alone("permessage-deflate; client_no_context_takeover"),
            "permessage-deflate; client_no_context_takeover");
}

TEST(DeflateOffer, Section711NoContextTakeoverHasNoValue) {
  for (const char* value : {"=1", "=true", "=\"\"", "="}) {
    EXPECT_EQ(alone(std::string("permessage-deflate; server_no_context_takeover") + value), "");
    EXPECT_EQ(alone(std::string("permessage-deflate; client_no_context_takeover") + value), "");
  }
}

TEST(DeflateOffer, Section712EveryServerWindowIsGrantedOrMadeSmaller) {
  for (int bits = 8; bits <= 15; ++bits) {
    const std::string asked = "permessage-deflate; server_max_window_bits=" + std::to_string(bits);
    EXPECT_EQ(alone(asked), asked);
    EXPECT_EQ(small(asked + "; client_max_window_bits"),
              "permessage-deflate; server_max_window_bits=" + std::to_string(std::min(bits, 12)) +
                  "; client_max_window_bits=12");
  }
}

TEST(DeflateOffer, Section712ASmallerServerWindowThanTheSharedOneIsDeclined) {
  EXPECT_EQ(shared("permessage-deflate; server_max_window_bits=11"), "");
  EXPECT_EQ(shared("permessage-deflate; server_max_window_bits=12"),
            std::string(kSharedAnswer) + "; server_max_window_bits=12");
  EXPECT_EQ(small("permessage-deflate; server_max_window_bits=11; server_no_context_takeover"),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=11");
}

TEST(DeflateOffer, Section712TheServerWindowIsNotMentionedUnasked) {
  EXPECT_EQ(alone("permessage-deflate").find("server_max"), std::string::npos);
  EXPECT_EQ(shared("permessage-deflate").find("server_max"), std::string::npos);
}

TEST(DeflateOffer, Section712EveryClientWindowIsGrantedOrMadeSmaller) {
  for (int bits = 8; bits <= 15; ++bits) {
    const std::string asked = "permessage-deflate; client_max_window_bits=" + std::to_string(bits);
    EXPECT_EQ(alone(asked), asked);
    EXPECT_EQ(small(asked),
              "permessage-deflate; client_max_window_bits=" + std::to_string(std::min(bits, 12)));
  }
}

TEST(DeflateOffer, Section712AClientWindowWithoutAValueLetsUsChoose) {
  EXPECT_EQ(alone("permessage-deflate; client_max_window_bits"),
            "permessage-deflate; client_max_window_bits=15");
  EXPECT_EQ(small("permessage-deflate; client_max_window_bits"),
            "permessage-deflate; client_max_window_bits=12");
}

TEST(DeflateOffer, Section712TheClientWindowMustNotBeMentionedUnasked) {
  EXPECT_EQ(alone("permessage-deflate"), kPlain);
  // A window that cannot be bounded is one that is not remembered.
  EXPECT_EQ(small("permessage-deflate"), "permessage-deflate; client_no_context_takeover");
}

TEST(DeflateOffer, Section712WindowsAre8To15WithoutLeadingZeros) {
  for (const char* name : {"server_max_window_bits", "client_max_window_bits"}) {
    for (const char* value :
         {"=",    "=0",   "=7",      "=16",     "=08", "=010",   "=-8",      "=+8",
          "=8.0", "=1 0", "=a",      "=100",    "=8a", "=\"\"",  "=\"7\"",   "=\"08\"",
          "=\"8", "=8\"", "=\"8\"8", "=\" 8\"", "==8", "=\"8\\", "=\"8\\\"", "=4294967304"}) {
      EXPECT_EQ(alone(std::string("permessage-deflate; ") + name + value), "") << name << value;
    }
  }
  EXPECT_EQ(alone("permessage-deflate; server_max_window_bits"), "");
}

TEST(DeflateOffer, Section71UnknownParametersDeclineTheOffer) {
  for (const char* parameter :
       {"x", "x=1", "", "=", "mem_level=8", "Server_No_Context_Takeover",
        "server_no_context_takeovers", "\"server_no_context_takeover\"", "permessage-deflate"}) {
    EXPECT_EQ(alone(std::string("permessage-deflate; ") + parameter), "") << parameter;
  }
  EXPECT_EQ(alone("permessage-deflate;"), "");
  EXPECT_EQ(alone("permessage-deflate server_no_context_takeover"), "");
}

TEST(DeflateOffer, Section71RepeatedParametersDeclineTheOffer) {
  for (const char* parameter :
       {"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits=10",
        "client_max_window_bits", "client_max_window_bits=10"}) {
    const std::string once = std::string("; ") + parameter;
    EXPECT_NE(alone(kPlain + once), "") << parameter;
    EXPECT_EQ(alone(kPlain + once + once), "") << parameter;
  }
  EXPECT_EQ(alone("permessage-deflate; client_max_window_bits; client_max_window_bits=9"), "");
}

TEST(DeflateOffer, Section713TheFirstAcceptableOfferWins) {
  EXPECT_EQ(alone("permessage-deflate; server_max_window_bits=10, permessage-deflate"),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(alone("permessage-deflate, permessage-deflate; server_max_window_bits=10"), kPlain);
  EXPECT_EQ(alone("permessage-deflate; x, permessage-deflate; server_max_window_bits=9"),
            "permessage-deflate; server_max_window_bits=9");
  EXPECT_EQ(shared("permessage-deflate; server_max_window_bits=9, permessage-deflate"),
            kSharedAnswer);
  EXPECT_EQ(alone("foo; bar=\"a, permessage-deflate; x\", permessage-deflate"), kPlain);
}

TEST(DeflateOffer, OffersInSeveralFieldsAreOneList) {
  EXPECT_EQ(answer({"foo", "permessage-deflate; x", "bar, permessage-deflate"}, kAlone), kPlain);
}

TEST(DeflateOffer, AnOpenQuoteSpoilsOnlyItsOwnField) {
  EXPECT_EQ(alone("foo; a=\"b, permessage-deflate"), "");
  EXPECT_EQ(answer({"foo; a=\"b, permessage-deflate", "permessage-deflate"}, kAlone), kPlain);
  EXPECT_EQ(alone("foo; a=\"b\\\", permessage-deflate\", permessage-deflate"), kPlain);
}

TEST(DeflateOffer, ValuesMayBeQuotedAndBlanksStandAnywhere) {
  EXPECT_EQ(alone("permessage-deflate;server_max_window_bits=\"10\""),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(alone("permessage-deflate; client_max_window_bits=\"1\\0\""),
            "permessage-deflate; client_max_window_bits=10");
  EXPECT_EQ(alone("  permessage-deflate\t; \tserver_max_window_bits = 10  ,x"),
            "permessage-deflate; server_max_window_bits=10");
}

TEST(DeflateOffer, ParametersComeInAnyOrder) {
  EXPECT_EQ(alone("permessage-deflate; client_max_window_bits=9; server_no_context_takeover; "
                  "server_max_window_bits=15; client_no_context_takeover"),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=15; client_max_window_bits=9");
}

TEST(DeflateOffer, AHeadFullOfOffersIsReadOnce) {
  std::string many;
  while (many.size() < 15'000) many += "permessage-deflate; x=\"\\\"\",";
  EXPECT_EQ(alone(many + "permessage-deflate"), kPlain);
}

}  // namespace
}  // namespace sluice::test
