// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "base/assert.h"
#include "base/owner_of.h"

// An intrusive doubly linked list: the links live in the element, nothing is allocated, and
// removal costs the same anywhere.
//
// The elements form a ring and the list is one pointer to the first of them:
//   empty list            first == null            (so all zeros is a valid list)
//   element n in a list   n.next.prev == n and n.prev.next == n
//   last element          first.prev
//   element in no list    next == prev == null
//
// Locking is the owner's. A list does not own its elements.
namespace quarry {

class ListNode {
 public:
  constexpr ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  [[nodiscard]] constexpr bool is_linked() const { return next_ != nullptr; }

 private:
  template <typename T, ListNode T::*kMember>
  friend class List;
  friend class ListBase;

  ListNode* next_ = nullptr;
  ListNode* prev_ = nullptr;
};

// The part that does not depend on the element's type.
class ListBase {
 public:
  constexpr ListBase() = default;
  ListBase(const ListBase&) = delete;
  ListBase& operator=(const ListBase&) = delete;

  [[nodiscard]] constexpr bool empty() const { return first_ == nullptr; }

  // O(n).
  [[nodiscard]] constexpr size_t count() const {
    size_t n = 0;
    for (const ListNode* node = first_; node != nullptr; node = after(*node)) {
      ++n;
    }
    return n;
  }

  // Whether the ring is sound. O(n). It ends on any ring: a walk cannot enter a cycle twice
  // without meeting a node whose predecessor is another one.
  [[nodiscard]] constexpr bool validate() const {
    for (const ListNode* node = first_; node != nullptr; node = after(*node)) {
      if (node->next_ == nullptr || node->next_->prev_ != node) {
        return false;
      }
    }
    return true;
  }

 protected:
  [[nodiscard]] constexpr ListNode* first() const { return first_; }
  [[nodiscard]] constexpr ListNode* last() const { return empty() ? nullptr : first_->prev_; }

  // Null at the list's end.
  [[nodiscard]] constexpr ListNode* after(const ListNode& node) const {
    return node.next_ == first_ ? nullptr : node.next_;
  }
  [[nodiscard]] constexpr ListNode* before(const ListNode& node) const {
    return &node == first_ ? nullptr : node.prev_;
  }

  constexpr void link_first(ListNode& node) {
    link_last(node);
    first_ = &node;
  }

  constexpr void link_last(ListNode& node) {
    QUARRY_ASSERT(!node.is_linked());
    if (empty()) {
      node.next_ = node.prev_ = first_ = &node;
    } else {
      link_between(*first_->prev_, node, *first_);
    }
  }

  constexpr void link_before(ListNode& position, ListNode& node) {
    QUARRY_ASSERT(position.is_linked() && !node.is_linked());
    link_between(*position.prev_, node, position);
    if (&position == first_) {
      first_ = &node;
    }
  }

  constexpr void link_after(ListNode& position, ListNode& node) {
    QUARRY_ASSERT(position.is_linked() && !node.is_linked());
    link_between(position, node, *position.next_);
  }

  constexpr void unlink(ListNode& node) {
    // A broken neighbour means that someone wrote over a link: going on would spread it.
    QUARRY_CHECK(node.next_ != nullptr && node.next_->prev_ == &node && node.prev_->next_ == &node);
    if (&node == first_) {
      first_ = after(node);
    }
    node.prev_->next_ = node.next_;
    node.next_->prev_ = node.prev_;
    node.next_ = node.prev_ = nullptr;
  }

  constexpr void append_all(ListBase& other) {
    if (other.empty()) {
      return;
    }
    if (empty()) {
      first_ = other.first_;
    } else {
      ListNode* const middle = first_->prev_;
      ListNode* const end = other.first_->prev_;
      middle->next_ = other.first_;
      other.first_->prev_ = middle;
      end->next_ = first_;
      first_->prev_ = end;
    }
    other.first_ = nullptr;
  }

  constexpr void rotate_to(ListNode& node) { first_ = &node; }

 private:
  static constexpr void link_between(ListNode& prev, ListNode& node, ListNode& next) {
    node.prev_ = &prev;
    node.next_ = &next;
    prev.next_ = &node;
    next.prev_ = &node;
  }

  ListNode* first_ = nullptr;
};

// A list of T through T's member: `List<Slab, &Slab::link>`. An element may be in as many lists
// as it has nodes.
template <typename T, ListNode T::*kMember>
class List : public ListBase {
 public:
  [[nodiscard]] T* front() const { return element(first()); }
  [[nodiscard]] T* back() const { return element(last()); }

  // Null past either end. Read the next element before you remove this one.
  [[nodiscard]] T* next(const T& item) const { return element(after(item.*kMember)); }
  [[nodiscard]] T* prev(const T& item) const { return element(before(item.*kMember)); }

  // Requires that the item is in no list through this member.
  void push_front(T& item) { link_first(item.*kMember); }
  void push_back(T& item) { link_last(item.*kMember); }
  // Also require that `position` is in this list.
  void insert_before(T& position, T& item) { link_before(position.*kMember, item.*kMember); }
  void insert_after(T& position, T& item) { link_after(position.*kMember, item.*kMember); }

  // Requires that the item is in this list.
  void remove(T& item) { unlink(item.*kMember); }

  // Null from an empty list.
  T* pop_front() { return pop(front()); }
  T* pop_back() { return pop(back()); }

  // Moves all of `other`'s elements to the end of this list. O(1).
  void splice_back(List& other) { append_all(other); }

  // Makes `item`, which is in this list, the first one and keeps the cyclic order. O(1).
  void rotate_to_front(T& item) { rotate_to(item.*kMember); }

  // For range-for over a list that the loop's body does not change.
  class Iterator {
   public:
    Iterator(const List* list, T* item) : list_(list), item_(item) {}
    T& operator*() const { return *item_; }
    T* operator->() const { return item_; }
    Iterator& operator++() {
      item_ = list_->next(*item_);
      return *this;
    }
    bool operator==(const Iterator& other) const { return item_ == other.item_; }

   private:
    const List* list_;
    T* item_;
  };

  [[nodiscard]] Iterator begin() const { return {this, front()}; }
  [[nodiscard]] Iterator end() const { return {this, nullptr}; }

 private:
  static T* element(ListNode* node) { return owner_of<T, ListNode, kMember>(node); }

  T* pop(T* item) {
    if (item != nullptr) {
      remove(*item);
    }
    return item;
  }
};

}  // namespace quarry
