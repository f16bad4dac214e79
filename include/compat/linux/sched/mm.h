/* SPDX-License-Identifier: MIT */
/*
 * Scopes in which every allocation of the thread is held to a narrower mask. They nest: a save
 * gives back what the matching restore needs.
 */
#pragma once

#include <linux/gfp.h>
#include <linux/sched.h>

QUARRY_DECLARATIONS_BEGIN

/* Sets a PF_* flag; the flag if it was set before, else 0. */
unsigned int quarry_memalloc_save(unsigned int flag);
void quarry_memalloc_restore(unsigned int flag, unsigned int saved);
/* The mask that a request for `flags` has in this thread's scopes. */
gfp_t current_gfp_context(gfp_t flags);

QUARRY_DECLARATIONS_END

static inline unsigned int memalloc_noio_save(void) {
  return quarry_memalloc_save(PF_MEMALLOC_NOIO);
}
static inline void memalloc_noio_restore(unsigned int saved) {
  quarry_memalloc_restore(PF_MEMALLOC_NOIO, saved);
}
static inline unsigned int memalloc_nofs_save(void) {
  return quarry_memalloc_save(PF_MEMALLOC_NOFS);
}
static inline void memalloc_nofs_restore(unsigned int saved) {
  quarry_memalloc_restore(PF_MEMALLOC_NOFS, saved);
}
static inline unsigned int memalloc_noreclaim_save(void) {
  return quarry_memalloc_save(PF_MEMALLOC);
}
static inline void memalloc_noreclaim_restore(unsigned int saved) {
  quarry_memalloc_restore(PF_MEMALLOC, saved);
}
static inline unsigned int memalloc_pin_save(void) { return quarry_memalloc_save(PF_MEMALLOC_PIN); }
static inline void memalloc_pin_restore(unsigned int saved) {
  quarry_memalloc_restore(PF_MEMALLOC_PIN, saved);
}
