// SPDX-License-Identifier: MIT
#pragma once

#include "map/page_mapper.h"

namespace quarry {

// For machines whose page tables are the platform's business.
class PlatformMapper final : public PageMapper {
 public:
  constexpr PlatformMapper() = default;
  // The platform must outlive the mapper.
  void init(Platform& platform) { platform_ = &platform; }

  [[nodiscard]] bool map(VirtAddr at, Pfn first, size_t count, MapAccess access) override {
    return platform_->map(at, first, count, access);
  }
  void unmap(VirtAddr at, size_t count) override { platform_->unmap(at, count); }

 private:
  Platform* platform_ = nullptr;
};

}  // namespace quarry
