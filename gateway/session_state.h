// All that a session is, as plain data.
//
// A session can be saved at any byte of its input and go on in another process: so nothing in here
// is a pointer into this one, no behaviour hides in a closure, and timers are deadlines. What is
// not here is derived: the Dialect from its kind, places in the Hub by subscribing again. A
// compressor begins anew, which every receiver understands.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "gateway/dialect_kind.h"
#include "gateway/dialects/centrifuge_state.h"
#include "proto/ws/deflate_offer.h"
#include "proto/ws/frame.h"
#include "proto/ws/message_reader.h"

namespace sluice {

struct SessionState {
  enum class Phase : std::uint8_t {
    kOpening,  // the 101 waits for the channel's home
    kOpen,
    kClosing,  // our Close is queued
  };

  // A channel that the session follows or has asked to follow. (A gateway that cannot deliver in
  // order of the answers would need more states: there is no third.)
  struct Subscription {
    std::string channel;
    std::uint64_t order = 0;  // of connecting; given by the home
    bool with_presence = false;
    bool is_live = false;
  };

  SessionState(DialectKind kind, const ws::ReaderContext& context)
      : dialect(kind), reader(context), centrifuge(centrifuge_of(kind)) {}
  SessionState(DialectKind kind, const ws::ReaderContext& context,
               const ws::DeflateAgreement& agreed)
      : dialect(kind),
        deflate(agreed.server),
        reader(context, agreed.client),
        centrifuge(centrifuge_of(kind)) {}

  DialectKind dialect;
  Phase phase = Phase::kOpening;
  std::optional<ws::DeflateSide> deflate;  // how we may compress; unset: not at all
  ws::MessageReader reader;
  std::unique_ptr<std::string> opening;  // kOpening: the response that completes the handshake
  std::string nickname;                  // what the chat lists; empty: none said
  std::vector<Subscription> subscriptions;
  std::uint32_t errors = 0;  // error messages of the client's own making
  bool pinged = false;       // a ping is out and nothing has been heard since
  Time ping_at;              // when the next ping is due, or the answer to the last one
  Time message_began_at;     // of the message under way, while there is one; else Time{}
  Time list_asked_at;        // when the client list was asked for last; Time{}: never
  bool list_waits = false;   // a later request waits for its second to pass
  bool list_is_due = false;  // the home was asked and has not answered
  // Of kRelay: the client acknowledges what reaches its user, and until then it is kept.
  bool acknowledges = false;

  std::unique_ptr<CentrifugeState> centrifuge;  // of kCentrifuge; else null
  // The user's channel that a token, or the application server, says is this client's, with /chat
  // and /sendone; else null.
  std::unique_ptr<std::string> identity;
  // Header fields of the handshake that the application server gets with its hooks; null: none.
  std::unique_ptr<std::string> passed_on;
  Time connected_at;  // while the application server knows of it; else Time{}

  // Appends everything, versioned; moments become distances from `now`.
  void save(std::vector<std::byte>& out, Time now) const;
  // Reads a state from the front of `input` and moves it on. The error says why, for the log.
  static Result<SessionState, std::string_view> load(const ws::ReaderContext& context, Time now,
                                                     ConstBytes& input);

 private:
  static std::unique_ptr<CentrifugeState> centrifuge_of(DialectKind kind) {
    return kind == DialectKind::kCentrifuge ? std::make_unique<CentrifugeState>() : nullptr;
  }
};

}  // namespace sluice
