// SPDX-License-Identifier: MIT
#pragma once

#include "zone/zone.h"

namespace quarry {

// One request on its way through the zones.
struct AllocRequest {
  Gfp gfp;  // with the task's scopes applied
  Order order;
  MigrateType type;
  ZoneType highest;
  AllocFlags flags;
  const ZoneList* zones;
  Zone* preferred;  // first of `zones` that `highest` allows; null: there is none
};

}  // namespace quarry
