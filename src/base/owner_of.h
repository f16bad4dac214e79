// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// The object whose member kMember `node` is; null for null. The offset comes from a member
// pointer applied to an address that is never read, and is a constant after compilation.
template <typename T, typename Node, Node T::*kMember>
[[nodiscard]] T* owner_of(Node* node) {
  if (node == nullptr) {
    return nullptr;
  }
  constexpr uintptr_t kProbe = alignof(T) > 4096 ? alignof(T) : 4096;
  const auto member = reinterpret_cast<uintptr_t>(&(reinterpret_cast<T*>(kProbe)->*kMember));
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(node) - (member - kProbe));
}

}  // namespace quarry
