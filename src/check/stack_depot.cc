// SPDX-License-Identifier: MIT
#include "check/stack_depot.h"

namespace quarry {

namespace {

// FNV-1a over the words (http://www.isthe.com/chongo/tech/comp/fnv).
uint32_t hash_of(std::span<const uintptr_t> frames) {
  uint32_t hash = 2166136261U;
  for (const uintptr_t frame : frames) {
    for (unsigned shift = 0; shift < 8 * sizeof(frame); shift += 8) {
      hash = (hash ^ ((frame >> shift) & 0xff)) * 16777619U;
    }
  }
  return hash;
}

}  // namespace

// Handles count the words of all pools from 1.
const StackDepot::Record* StackDepot::record(uint32_t handle) const {
  const uint32_t word = handle - 1;
  const auto* pool = static_cast<const uintptr_t*>(first_->pool[word / kHandlesInPool]);
  return reinterpret_cast<const Record*>(pool + word % kHandlesInPool);
}

uint32_t StackDepot::save(std::span<const uintptr_t> frames) {
  if (frames.size() > kMostFrames) frames = frames.first(kMostFrames);
  const uint32_t hash = hash_of(frames);
  LockGuard guard(lock_);
  if (first_ == nullptr) return 0;
  uint32_t& bucket = first_->bucket[hash % kBuckets];
  for (uint32_t handle = bucket; handle != 0; handle = record(handle)->next) {
    const Record& known = *record(handle);
    if (known.hash == hash && known.count == frames.size() &&
        __builtin_memcmp(known.frame, frames.data(), frames.size_bytes()) == 0) {
      return handle;
    }
  }
  const size_t bytes = sizeof(Record) + frames.size_bytes();
  if (used_ + bytes > kPoolBytes) return 0;
  auto* pool = static_cast<unsigned char*>(first_->pool[pools_ - 1]);
  auto* fresh = reinterpret_cast<Record*>(pool + used_);
  *fresh = {.next = bucket, .hash = hash, .count = frames.size()};
  __builtin_memcpy(fresh->frame, frames.data(), frames.size_bytes());
  bucket = static_cast<uint32_t>((pools_ - 1) * kHandlesInPool + used_ / sizeof(uintptr_t) + 1);
  used_ += bytes;
  return bucket;
}

std::span<const uintptr_t> StackDepot::fetch(uint32_t handle) const {
  LockGuard guard(lock_);
  const uint32_t word = handle - 1;  // of handle 0 the largest
  if (word / kHandlesInPool >= pools_) return {};
  const Record& found = *record(handle);
  const size_t room = (kHandlesInPool - word % kHandlesInPool) * sizeof(uintptr_t);
  if (found.count > kMostFrames || sizeof(Record) + found.count * sizeof(uintptr_t) > room) {
    return {};
  }
  return {found.frame, found.count};
}

bool StackDepot::add_pool(void* memory) {
  LockGuard guard(lock_);
  if (pools_ == kMostPools) return false;
  used_ = 0;
  if (first_ == nullptr) {
    first_ = static_cast<FirstPool*>(memory);
    __builtin_memset(memory, 0, sizeof(FirstPool));
    used_ = sizeof(FirstPool);
  }
  first_->pool[pools_++] = memory;
  return true;
}

void StackDepot::hold() {
  LockGuard guard(lock_);
  ++holders_;
}

StackDepot::FirstPool* StackDepot::take_unheld(unsigned& count) {
  LockGuard guard(lock_);
  if (--holders_ != 0) return nullptr;
  FirstPool* const first = first_;
  count = pools_;
  first_ = nullptr;
  pools_ = 0;
  return first;
}

unsigned StackDepot::pools() const {
  LockGuard guard(lock_);
  return pools_;
}

}  // namespace quarry
