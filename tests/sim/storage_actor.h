// The storage's thread, as the scheduler of a simulation runs it.
#pragma once

#include "core/sim/sim_scheduler.h"
#include "gateway/storage/storage.h"

namespace sluice::test {

class StorageActor final : public SimActor {
 public:
  explicit StorageActor(Storage& storage) : storage_(storage) {}
  void turn() override { storage_.step(); }
  Time next_wake() override { return storage_.due(); }

 private:
  Storage& storage_;
};

}  // namespace sluice::test
