#include "gateway/storage/store.h"

namespace sluice {

std::string_view remedy(StorageCause cause) noexcept {
  switch (cause) {
    case StorageCause::kFull:
      return "free some space on that disk";
    case StorageCause::kReadOnly:
      return "let this user write to the directory and its files";
    case StorageCause::kCorrupt:
      return "move the directory away, or put a backup in its place, and start again";
    case StorageCause::kNewer:
      return "start the version that wrote it, or a newer one";
    case StorageCause::kInUse:
      return "stop the process that uses it, or choose another directory";
    case StorageCause::kIo:
      return "see the kernel's log for what the disk says";
    case StorageCause::kOther:
      break;
  }
  return "see docs/storage.md";
}

}  // namespace sluice
