// SPDX-License-Identifier: MIT
#include "base/rbtree.h"

namespace quarry {

RbNode* RbTreeBase::outermost(Side side) const {
  RbNode* node = root_;
  while (node != nullptr && node->child_[side] != nullptr) {
    node = node->child_[side];
  }
  return node;
}

RbNode* RbTreeBase::neighbour(const RbNode& node, Side side) {
  if (RbNode* below = node.child_[side]; below != nullptr) {
    while (below->child_[opposite(side)] != nullptr) {
      below = below->child_[opposite(side)];
    }
    return below;
  }
  const RbNode* from = &node;
  RbNode* above = node.parent();
  while (above != nullptr && above->child_[side] == from) {
    from = above;
    above = above->parent();
  }
  return above;
}

void RbTreeBase::refresh(RbNode* node, Recompute recompute) {
  if (recompute == nullptr) {
    return;
  }
  for (; node != nullptr; node = node->parent()) {
    recompute(*node);
  }
}

void RbTreeBase::set_child(RbNode& parent, Side side, RbNode* node) {
  parent.child_[side] = node;
  if (node != nullptr) {
    node->set_parent(&parent);
  }
}

void RbTreeBase::replace_child(RbNode* parent, const RbNode& old_child, RbNode* new_child) {
  if (parent != nullptr) {
    set_child(*parent, side_of(*parent, &old_child), new_child);
    return;
  }
  root_ = new_child;
  if (new_child != nullptr) {
    new_child->set_parent(nullptr);
  }
}

// `node` goes down on the side `down`, and its child of the other side takes its place.
void RbTreeBase::rotate(RbNode& node, Side down, Recompute recompute) {
  const Side up = opposite(down);
  RbNode& riser = *node.child_[up];
  set_child(node, up, riser.child_[down]);
  replace_child(node.parent(), node, &riser);
  set_child(riser, down, &node);
  if (recompute != nullptr) {
    recompute(node);
    recompute(riser);
  }
}

void RbTreeBase::insert_below(RbNode* parent, Side side, RbNode& node, Recompute recompute) {
  QUARRY_CHECK(!node.is_linked());
  node.child_[kLeft] = node.child_[kRight] = nullptr;
  node.set_red();
  if (parent == nullptr) {
    root_ = &node;
    node.set_parent(nullptr);
  } else {
    set_child(*parent, side, &node);
  }
  refresh(&node, recompute);
  balance_after_insert(&node, recompute);
}

// Repairs the only thing that can be wrong: `node` and its parent are both red.
void RbTreeBase::balance_after_insert(RbNode* node, Recompute recompute) {
  for (RbNode* parent = node->parent(); !is_black(parent); parent = node->parent()) {
    RbNode* const grandparent = parent->parent();  // a red node is not the root
    const Side side = side_of(*grandparent, parent);
    RbNode* const uncle = grandparent->child_[opposite(side)];
    if (!is_black(uncle)) {
      parent->set_black();
      uncle->set_black();
      grandparent->set_red();
      node = grandparent;
      continue;
    }
    if (node == parent->child_[opposite(side)]) {
      rotate(*parent, side, recompute);
      parent = node;
    }
    parent->set_black();
    grandparent->set_red();
    rotate(*grandparent, opposite(side), recompute);
    break;
  }
  root_->set_black();
}

// Puts the successor of `node`, which has two children, in its place and with its colour. Tells
// where the successor is missing now: the returned node, possibly null, hangs below `hole_parent`.
RbNode* RbTreeBase::splice_successor(RbNode& node, RbNode*& hole_parent, bool& lost_black) {
  RbNode& successor = *neighbour(node, kRight);
  RbNode* const orphan = successor.child_[kRight];
  lost_black = successor.is_black();
  if (successor.parent() == &node) {
    hole_parent = &successor;
  } else {
    hole_parent = successor.parent();
    set_child(*hole_parent, kLeft, orphan);
    set_child(successor, kRight, node.child_[kRight]);
  }
  replace_child(node.parent(), node, &successor);
  set_child(successor, kLeft, node.child_[kLeft]);
  successor.copy_colour(node);
  return orphan;
}

void RbTreeBase::erase_node(RbNode& node, Recompute recompute) {
  // A broken link means that someone wrote over it: going on would spread it.
  QUARRY_CHECK(node.is_linked() &&
               (node.parent() == nullptr
                    ? root_ == &node
                    : node.parent()->child_[side_of(*node.parent(), &node)] == &node));
  RbNode* hole_parent = node.parent();
  bool lost_black = node.is_black();
  RbNode* hole = nullptr;
  if (node.child_[kLeft] != nullptr && node.child_[kRight] != nullptr) {
    hole = splice_successor(node, hole_parent, lost_black);
  } else {
    hole = node.child_[node.child_[kLeft] != nullptr ? kLeft : kRight];
    replace_child(hole_parent, node, hole);
  }
  node.parent_and_colour_ = 0;
  node.child_[kLeft] = node.child_[kRight] = nullptr;
  refresh(hole_parent, recompute);
  if (lost_black) {
    balance_after_erase(hole, hole_parent, recompute);
  }
}

// Paths through `hole`, possibly null, below `parent` have one black node too few.
void RbTreeBase::balance_after_erase(RbNode* hole, RbNode* parent, Recompute recompute) {
  while (parent != nullptr && is_black(hole)) {
    const Side side = side_of(*parent, hole);
    const Side far = opposite(side);
    RbNode* sibling = parent->child_[far];  // its paths have a black node more: not null
    if (!sibling->is_black()) {
      sibling->set_black();
      parent->set_red();
      rotate(*parent, side, recompute);
      sibling = parent->child_[far];
    }
    if (is_black(sibling->child_[kLeft]) && is_black(sibling->child_[kRight])) {
      sibling->set_red();
      hole = parent;
      parent = hole->parent();
      continue;
    }
    if (is_black(sibling->child_[far])) {
      sibling->set_red();
      rotate(*sibling, far, recompute);
      sibling = parent->child_[far];  // red still; it takes the parent's colour
    }
    sibling->copy_colour(*parent);
    parent->set_black();
    sibling->child_[far]->set_black();
    rotate(*parent, side, recompute);
    return;
  }
  if (hole != nullptr) {
    hole->set_black();
  }
}

bool RbTreeBase::is_sound(const RbNode& node) {
  if (node.child_[kLeft] != nullptr && node.child_[kLeft] == node.child_[kRight]) {
    return false;
  }
  for (const RbNode* below : node.child_) {
    if (below == nullptr) {
      continue;
    }
    if (below->parent() != &node || (!node.is_black() && !below->is_black())) {
      return false;
    }
  }
  return true;
}

bool RbTreeBase::validate_shape() const {
  if (root_ != nullptr && (root_->parent() != nullptr || !root_->is_black())) {
    return false;
  }
  size_t blacks = 0;  // on the path from the root to `node`
  size_t height = 0;  // black nodes above every null; 0 until the first is met
  const RbNode* from = nullptr;
  for (const RbNode* node = root_; node != nullptr;) {
    const RbNode* const left = node->child_[kLeft];
    const RbNode* const right = node->child_[kRight];
    const bool entered = from == node->parent();
    if (entered) {
      if (!is_sound(*node)) {
        return false;
      }
      blacks += node->is_black() ? 1U : 0U;
      if (left == nullptr || right == nullptr) {
        height = height == 0 ? blacks : height;
        if (blacks != height) {
          return false;
        }
      }
    }
    const RbNode* to = nullptr;
    if (entered && left != nullptr) {
      to = left;
    } else if (right != nullptr && from != right) {
      to = right;
    } else {
      to = node->parent();
      blacks -= node->is_black() ? 1U : 0U;
    }
    from = node;
    node = to;
  }
  return true;
}

}  // namespace quarry
