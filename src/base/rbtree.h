// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/owner_of.h"

// An intrusive red-black tree (Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms,
// chapter 13; augmentation chapter 14). The links live in the element, nothing is allocated.
//
// Invariants:
//   root is black, or null for an empty tree          (so all zeros is a valid tree)
//   a red node's children are black; null counts as black
//   every path from the root to a null has the same number of black nodes
//   node.child[s].parent == node
//   in-order, no element is less than the one before it
// Hence the height is at most 2 * log2(n + 1).
//
// An augmented tree keeps in each element a summary of the subtree below it, such as the largest
// size. The summary must follow from the elements of the subtree in their order, and not from how
// they hang, so that a rotation leaves the summaries above it as they are.
//
// Locking is the owner's. A tree does not own its elements.
namespace quarry {

class RbNode {
 public:
  constexpr RbNode() = default;
  RbNode(const RbNode&) = delete;
  RbNode& operator=(const RbNode&) = delete;

  // A root is black and any other node has a parent, so a linked node's word is not zero.
  [[nodiscard]] bool is_linked() const { return parent_and_colour_ != 0; }

 private:
  friend class RbTreeBase;

  static constexpr uintptr_t kBlack = 1;

  [[nodiscard]] RbNode* parent() const {
    return reinterpret_cast<RbNode*>(parent_and_colour_ & ~kBlack);
  }
  [[nodiscard]] bool is_black() const { return (parent_and_colour_ & kBlack) != 0; }

  void set_parent(RbNode* parent) {
    parent_and_colour_ = reinterpret_cast<uintptr_t>(parent) | (parent_and_colour_ & kBlack);
  }
  void set_black() { parent_and_colour_ |= kBlack; }
  void set_red() { parent_and_colour_ &= ~kBlack; }
  void copy_colour(const RbNode& other) {
    parent_and_colour_ = (parent_and_colour_ & ~kBlack) | (other.parent_and_colour_ & kBlack);
  }

  uintptr_t parent_and_colour_ = 0;
  RbNode* child_[2] = {};
};

// The part that does not depend on the element's type.
class RbTreeBase {
 public:
  constexpr RbTreeBase() = default;
  RbTreeBase(const RbTreeBase&) = delete;
  RbTreeBase& operator=(const RbTreeBase&) = delete;

  [[nodiscard]] constexpr bool empty() const { return root_ == nullptr; }

 protected:
  // A node's two children, and the two directions to walk in.
  enum Side : uint8_t { kLeft = 0, kRight = 1 };

  // Makes a node's summary fit its children's and says whether it changed. Null where a tree has
  // no summaries.
  using Recompute = bool (*)(RbNode&);

  [[nodiscard]] RbNode* root() const { return root_; }
  [[nodiscard]] static RbNode* child(const RbNode& node, Side side) { return node.child_[side]; }

  // The outermost node of a side, and a node's neighbour in order. Null where there is none.
  [[nodiscard]] RbNode* outermost(Side side) const;
  [[nodiscard]] static RbNode* neighbour(const RbNode& node, Side side);

  // `parent` has no child on that side; null for the first node of a tree.
  void insert_below(RbNode* parent, Side side, RbNode& node, Recompute recompute);
  void erase_node(RbNode& node, Recompute recompute);
  // Brings the summaries of `node` and of all above it up to date.
  static void refresh(RbNode* node, Recompute recompute);

  // Colours, heights and links. O(n), no recursion. It ends on any graph, because no node is
  // entered that does not point back to the one it is entered from.
  [[nodiscard]] bool validate_shape() const;

 private:
  static Side side_of(const RbNode& parent, const RbNode* node) {
    return parent.child_[kLeft] == node ? kLeft : kRight;
  }
  static Side opposite(Side side) { return side == kLeft ? kRight : kLeft; }
  static bool is_black(const RbNode* node) { return node == nullptr || node->is_black(); }

  static void set_child(RbNode& parent, Side side, RbNode* node);
  void replace_child(RbNode* parent, const RbNode& old_child, RbNode* new_child);
  void rotate(RbNode& node, Side down, Recompute recompute);
  RbNode* splice_successor(RbNode& node, RbNode*& hole_parent, bool& lost_black);
  void balance_after_insert(RbNode* node, Recompute recompute);
  void balance_after_erase(RbNode* hole, RbNode* parent, Recompute recompute);
  static bool is_sound(const RbNode& node);

  RbNode* root_ = nullptr;
};

// A tree of T through T's member, ordered and summarised by Traits:
//
//   static bool less(const T& a, const T& b);                                required
//   static bool recompute(T& item, const T* left, const T* right);           augmented trees only
//
// recompute() sets the summary kept in `item` from the item and from the summaries of its
// children, null where there is none, and returns whether that changed it.
template <typename T, RbNode T::*kMember, typename Traits>
class RbTree : public RbTreeBase {
 public:
  [[nodiscard]] T* first() const { return element(outermost(kLeft)); }
  [[nodiscard]] T* last() const { return element(outermost(kRight)); }

  // Null past either end.
  [[nodiscard]] T* next(const T& item) const { return element(neighbour(item.*kMember, kRight)); }
  [[nodiscard]] T* prev(const T& item) const { return element(neighbour(item.*kMember, kLeft)); }

  // For a search that is led by summaries. Null where there is none.
  [[nodiscard]] T* root() const { return element(RbTreeBase::root()); }
  [[nodiscard]] T* left(const T& item) const { return element(child(item.*kMember, kLeft)); }
  [[nodiscard]] T* right(const T& item) const { return element(child(item.*kMember, kRight)); }

  // Requires that the item is in no tree through this member. It goes after its equals.
  void insert(T& item) {
    RbNode* parent = nullptr;
    Side side = kLeft;
    for (RbNode* node = RbTreeBase::root(); node != nullptr; node = child(*node, side)) {
      parent = node;
      side = Traits::less(item, *element(node)) ? kLeft : kRight;
    }
    insert_below(parent, side, item.*kMember, recompute());
  }

  // Requires that the item is in this tree.
  void erase(T& item) { erase_node(item.*kMember, recompute()); }

  // To be called after a change to the item that its summary depends on. Requires that the item
  // is in this tree and that the change left the order as it was.
  void update(T& item) { refresh(&(item.*kMember), recompute()); }

  // The first item in order for which `holds` is true, null for none. Requires that it is true
  // for every item after one for which it is true.
  template <typename Predicate>
  [[nodiscard]] T* first_where(Predicate holds) const {
    RbNode* found = nullptr;
    for (RbNode* node = RbTreeBase::root(); node != nullptr;) {
      const bool here = holds(static_cast<const T&>(*element(node)));
      found = here ? node : found;
      node = child(*node, here ? kLeft : kRight);
    }
    return element(found);
  }

  // O(n).
  [[nodiscard]] size_t count() const {
    size_t n = 0;
    for (const T* item = first(); item != nullptr; item = next(*item)) {
      ++n;
    }
    return n;
  }

  // Whether all invariants and all summaries hold. O(n). A wrong summary is put right.
  [[nodiscard]] bool validate() const {
    if (!validate_shape()) {
      return false;
    }
    for (T* item = first(); item != nullptr;) {
      T* const after = next(*item);
      if (after != nullptr && Traits::less(*after, *item)) {
        return false;
      }
      if constexpr (is_augmented()) {
        if (recompute()(item->*kMember)) {
          return false;
        }
      }
      item = after;
    }
    return true;
  }

 private:
  static T* element(RbNode* node) { return owner_of<T, RbNode, kMember>(node); }

  static constexpr bool is_augmented() {
    return requires(T * item) { Traits::recompute(*item, item, item); };
  }

  static constexpr Recompute recompute() {
    if constexpr (is_augmented()) {
      return [](RbNode& node) {
        return Traits::recompute(*element(&node), element(child(node, kLeft)),
                                 element(child(node, kRight)));
      };
    } else {
      return nullptr;
    }
  }
};

}  // namespace quarry
