#include "tests/storage/kept_world.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tests/sim/storage_actor.h"

namespace sluice::test {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(100);
constexpr Duration kLifeWithFaults = std::chrono::seconds(6);
constexpr Duration kMove = std::chrono::milliseconds(100);
constexpr Duration kLong = std::chrono::seconds(90);
constexpr std::size_t kPublishers = 5;
const std::vector<std::string> kChannels = {"keep:a", "keep:b", "chat"};
const std::vector<std::string> kUsers = {"user u1", "user u2", "user u3"};

Namespaces namespaces() {
  Namespaces all;
  const std::vector<std::string> settings = {
      "keep.history_messages=5000", "keep.subscribe=everybody", "chat.history_messages=5000"};
  SLUICE_CHECK(!all.set(settings));
  return all;
}

std::vector<std::string> targets() {
  std::vector<std::string> all = kChannels;
  all.insert(all.end(), kUsers.begin(), kUsers.end());
  return all;
}

Duration draw(Random& random, Duration below) {
  return Duration(
      static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>(below.count()))));
}

KeptHistory history_in(std::string_view body) {
  KeptHistory found;
  const std::size_t end = body.find(']');
  const std::string_view list = body.substr(0, end);
  for (std::size_t at = list.find(R"("i":)"); at != std::string_view::npos;
       at = list.find(R"("i":)", at + 1)) {
    const std::string_view item = list.substr(at);
    found.entries.emplace_back(number_in(item, R"("offset":)"), number_in(item, R"("i":)"));
  }
  const std::string_view rest = end == std::string_view::npos ? body : body.substr(end);
  found.top = number_in(rest, R"("offset":)");
  found.epoch = text_in(rest, R"("epoch":)");
  return found;
}

}  // namespace

// What a process has.
struct KeptWorld::Life {
  explicit Life(KeptWorld& world)
      : storage(
            std::make_unique<SqliteStore>(SqliteSettings{.file = "/data/sluice.db",
                                                         .synchronous = world.options_.synchronous},
                                          world.network_.clock()),
            world.network_.clock(), world.log_, StorageSettings{kInterval}),
        actor(storage),
        scheduler(world.scheduler_) {}
  ~Life() {
    if (instance) scheduler.remove(actor);
  }

  Storage storage;
  StorageActor actor;
  SimScheduler& scheduler;
  std::unique_ptr<SimInstance> instance;
  SocketAddress address;
};

KeptWorld::KeptWorld(const KeptOptions& options)
    : options_(options),
      network_(SimOptions::rough(options.seed)),
      random_(options.seed),
      vfs_(disk_, options.seed),
      books_(kInterval) {
  for (std::size_t i = 0; i < kPublishers; ++i) {
    publishers_.push_back(std::make_unique<KeptPublisher>(books_, random_, targets()));
  }
  for (const std::string& channel : {kChannels[0], kChannels[0], kChannels[1]}) {
    followers_.push_back(std::make_unique<KeptFollower>(books_, channel));
  }
  for (const std::string& user : kUsers) {
    readers_.push_back(std::make_unique<KeptReader>(books_, user));
  }
}

KeptWorld::~KeptWorld() {
  disk_.cut_power();
  if (life_) life_->storage.stop();
}

std::uint64_t KeptWorld::refused() const {
  std::uint64_t all = 0;
  for (const auto& publisher : publishers_) all += publisher->refused();
  return all;
}

bool KeptWorld::fail(std::string why) {
  if (broken_.empty()) broken_ = std::move(why);
  return false;
}

bool KeptWorld::live(Ending ending, std::uint64_t operation) {
  if (operation != 0) disk_.cut_power_at(disk_.operations() + operation);
  if (start() && check_histories()) serve(ending);
  if (!broken_.empty()) return false;
  disk_.heal();
  if (ending == Ending::kKill) {
    disk_.kill();
  } else {
    disk_.restore_power(random_.next());
  }
  return books_.faults().empty();
}

// False: the power went meanwhile, or it is broken.
bool KeptWorld::start() {
  life_ = std::make_unique<Life>(*this);
  auto stored = life_->storage.open();
  if (!stored) {
    if (disk_.has_power()) fail("it does not start: " + stored.error().text);
    life_.reset();
    return false;
  }
  if (stored->unreadable > 0) return fail("something stored makes no sense");
  InstanceOptions options;
  options.namespaces = namespaces();
  options.connections_max = options.limits.max_connections;
  options.api.on_clients = true;
  options.api_keys = {kKeptApiKey};
  options.storage = &life_->storage;
  life_->address = SocketAddress::ipv4(0x7f000001, port_++);
  life_->instance = std::make_unique<SimInstance>(
      network_, scheduler_, life_->address, options_.shards,
      ListenerTraits{.is_loopback = true, .is_ops = false}, options, std::move(*stored));
  scheduler_.add(life_->actor);
  return true;
}

// False as above.
bool KeptWorld::check_histories() {
  ApiLine line(network_, life_->address);
  for (const std::string& channel : kChannels) {
    line.call("history", R"({"channel":")" + channel + R"(","limit":-1})");
    std::optional<ApiLine::Answer> answer;
    scheduler_.run_until([&] { return !disk_.has_power() || (answer = line.poll()); }, kLong);
    if (!answer) {
      if (disk_.has_power()) return fail("no history");
      end(Ending::kPower, false);
      return false;
    }
    books_.check(channel, history_in(answer->body), last_end_);
  }
  if (!books_.faults().empty()) fail(books_.faults().front());
  return broken_.empty();
}

void KeptWorld::serve(Ending ending) {
  for (const auto& publisher : publishers_) publisher->begin_life(network_, life_->address);
  for (const auto& follower : followers_) follower->begin_life(network_, life_->address);
  goes_on_ = true;
  const Duration life = options_.has_faults ? kLifeWithFaults : options_.life;
  const Duration time = ending == Ending::kPower ? life : draw(random_, life);
  const Time until = network_.clock().now() + time;
  run([&] { return network_.clock().now() >= until; });
  goes_on_ = false;
  if (ending == Ending::kQuiet || ending == Ending::kStop) {
    disk_.heal();
    const auto is_waiting = [](const auto& publisher) { return publisher->is_waiting(); };
    if (!run([&] { return std::none_of(publishers_.begin(), publishers_.end(), is_waiting); })) {
      if (disk_.has_power()) fail("a call is never answered");
    }
    // A stop needs no quiet, unless the disk has to recover first.
    const bool is_quiet = ending == Ending::kQuiet;
    const Time then = network_.clock().now() + std::chrono::seconds(options_.has_faults ? 60
                                                                    : is_quiet          ? 1
                                                                                        : 0);
    run([&] { return network_.clock().now() >= then; });
  }
  if (life_->instance->lost_wakes() > 0) fail("a wake was lost");
  end(ending, true);
}

// Until `done` or the power goes; true if done.
bool KeptWorld::run(const std::function<bool()>& done) {
  bool is_done = false;
  scheduler_.run_until(
      [&] {
        poll();
        is_done = done();
        return is_done || !disk_.has_power();
      },
      kLong);
  return is_done;
}

void KeptWorld::poll() {
  // An answer that came after the end was given before it.
  const Time now = life_ ? network_.clock().now() : last_end_.at;
  for (const auto& publisher : publishers_) publisher->poll(now, goes_on_, there_);
  for (const auto& follower : followers_) follower->poll();
  for (const auto& reader : readers_) {
    reader->poll();
    if (!reader->is_there()) there_.erase(reader->user());
  }
  if (!life_) return;
  const std::uint64_t stale = life_->instance->sum(
      [](const ShardCounters& c) { return static_cast<std::uint64_t>(c.stale_channels.value()); });
  if (!life_->storage.is_up() || stale > 0 || has_fault_) {
    if (!trouble_at_) trouble_at_ = now;
    last_trouble_ = now;
  } else if (trouble_at_ && now - last_trouble_ > kInterval) {
    trouble_at_.reset();  // all was written anew
  }
  if (!goes_on_ || now < next_move_) return;
  next_move_ = now + draw(random_, kMove);
  move_reader();
  if (options_.has_faults) move_fault();
}

void KeptWorld::move_reader() {
  KeptReader& reader = *readers_[random_.below(readers_.size())];
  if (reader.is_there()) return reader.leave();
  there_.insert(reader.user());
  reader.come(network_, life_->address, random_.chance(1, 2));
}

void KeptWorld::move_fault() {
  if (!random_.chance(1, 12)) return;
  if (std::exchange(has_fault_, !has_fault_)) return disk_.heal();
  constexpr std::array<int, 4> kCodes = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC,
                                         SQLITE_IOERR};
  DiskFault fault;
  fault.after = random_.below(12);
  fault.times = 1 + random_.below(30);
  fault.code = kCodes[random_.below(kCodes.size())];
  if (random_.chance(1, 2)) fault.operation = DiskOperation::kSync;
  disk_.fail(fault);
}

void KeptWorld::end(Ending ending, bool has_served) {
  bool loses_nothing = ending == Ending::kQuiet && disk_.has_power();
  if (ending == Ending::kStop && disk_.has_power()) {
    SimInstance& instance = *life_->instance;
    instance.gateway().stop(std::chrono::seconds(1));
    const auto has_stopped = [&] {
      bool all = true;
      for (std::uint32_t i = 0; i < instance.shard_count(); ++i)
        all &= instance.shard(i).has_stopped();
      return all;
    };
    if (!run(has_stopped) && disk_.has_power()) fail("it does not stop");
    instance.gateway().finish();
    life_->storage.stop();
    loses_nothing = disk_.has_power();
  }
  if (has_served) {
    last_end_ = {network_.clock().now(), loses_nothing && !trouble_at_, trouble_at_};
    ends_.push_back(last_end_);
  }
  disk_.cut_power();
  life_->storage.stop();  // in vain; shards may be told, so it comes before their end
  life_.reset();
  trouble_at_.reset();
  has_fault_ = false;
  // What was on its way to clients arrives.
  for (const auto& reader : readers_) reader->look();
  const Time then = network_.clock().now() + std::chrono::seconds(1);
  run([&] { return network_.clock().now() >= then; });
  scheduler_.run_for(std::chrono::seconds(1));
  poll();
  for (const auto& publisher : publishers_) publisher->end_life();
  for (const auto& follower : followers_) follower->end_life();
  for (const auto& reader : readers_) {
    if (reader->take_reset()) books_.excuse_mail(reader->user());
    reader->end_life();
  }
  there_.clear();
}

bool KeptWorld::close() {
  if (!start() || !check_histories()) return fail("the last start failed");
  for (const auto& reader : readers_) reader->come(network_, life_->address, true);
  const Time then = network_.clock().now() + std::chrono::seconds(5);
  run([&] { return network_.clock().now() >= then; });
  books_.check_mail(ends_);
  end(Ending::kStop, false);
  if (!books_.faults().empty()) fail(books_.faults().front());
  return broken_.empty();
}

}  // namespace sluice::test
