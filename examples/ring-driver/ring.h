/* SPDX-License-Identifier: MIT */
/* What the ring driver offers to its hardware and to its users; -ENODEV if it did not start. */
#ifndef RING_H
#define RING_H

#include <linux/types.h>

/* For the interrupt handler: a frame of data has arrived. 0, -ENOSPC, -ENOMEM or -EMSGSIZE. */
int ring_receive(const void *data, size_t bytes);
/* For readers: the oldest frame. Its bytes, -EAGAIN if there is none, -ENOBUFS if it is larger. */
ssize_t ring_read(void *to, size_t room);

/* How often a frame of a slot's sequence number was received. */
u32 ring_slot_uses(unsigned int slot);
unsigned int ring_pending(void);

#endif
