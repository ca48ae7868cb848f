#include "core/sim/sim_stream.h"

#include <memory>
#include <utility>

#include "core/base/check.h"

namespace sluice {

std::unique_ptr<SimStream> SimNetwork::connect(const SocketAddress& address,
                                               const SocketAddress& from) {
  return std::make_unique<SimStream>(*this, start_connect(address, from));
}

SimStream::SimStream(SimNetwork& network, int token) : network_(network), token_(token) {
  network_.watch(token_, this, 0);
}

SimStream::~SimStream() {
  if (!is_closed_) abort();
}

void SimStream::write(std::string_view bytes) {
  SLUICE_CHECK(!wants_shutdown_);
  SLUICE_CHECK(!wants_close_);
  SLUICE_CHECK(!is_closed_);
  unsent_ += bytes;
  pump_out();
}

std::string SimStream::read() { return std::exchange(received_, {}); }

void SimStream::set_reading(bool on) {
  reads_ = on;
  if (!is_closed_) pump_in();
}

void SimStream::shutdown() {
  wants_shutdown_ = true;
  pump_out();
}

void SimStream::close() {
  wants_close_ = true;
  pump_out();
}

void SimStream::abort() { end(true); }

void SimStream::on_ready(std::uint32_t) noexcept {
  is_connected_ = is_connected_ || (!network_.is_connecting(token_) && !network_.error(token_));
  pump_in();
  pump_out();
}

void SimStream::pump_out() {
  if (is_closed_) return;
  if (unsent() > 0) begin_ += network_.write(token_, as_bytes(unsent_).subspan(begin_));
  if (begin_ == unsent_.size()) {
    unsent_.clear();
    begin_ = 0;
  }
  const bool is_broken = static_cast<bool>(network_.error(token_));
  if (!is_broken && (unsent() > 0 || network_.is_connecting(token_))) return;
  if (wants_close_) {
    end(false);
  } else if (wants_shutdown_) {
    network_.shutdown(token_);
  }
}

void SimStream::pump_in() {
  error_ = network_.error(token_);
  if (!reads_) return;
  if (const std::size_t size = network_.readable(token_); size > 0) {
    const std::size_t before = received_.size();
    received_.resize(before + size);
    network_.read(token_, {reinterpret_cast<std::byte*>(received_.data()) + before, size});
  }
  is_eof_ = is_eof_ || network_.at_end(token_);
}

void SimStream::end(bool by_reset) {
  if (is_closed_) return;
  is_closed_ = true;
  network_.unwatch(token_);
  if (by_reset) {
    network_.abort(token_);
  } else {
    network_.close(token_);
  }
}

}  // namespace sluice
