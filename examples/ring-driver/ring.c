// SPDX-License-Identifier: MIT
/*
 * A driver that receives frames in interrupt context and hands them to readers in order. Frames
 * wait in a list of buffers; a table that is too large for kmalloc counts the use of each slot.
 */
#define pr_fmt(fmt) "ring: " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "ring.h"

#define RING_MAX_FRAME 9000

struct ring_buffer {
	struct list_head link;
	u32 sequence;
	u32 bytes;
	u8 *data;
};

struct ring_slot {
	u32 uses;
	u32 last_bytes;
};

struct ring {
	spinlock_t lock; /* guards what follows */
	struct list_head buffers;
	unsigned int pending;
	u32 next_sequence;
	struct ring_slot *slots;
};

static unsigned int slots = 1 << 20;
module_param(slots, uint, 0444);
MODULE_PARM_DESC(slots, "Slots of the table");

static unsigned int depth = 256;
module_param(depth, uint, 0444);
MODULE_PARM_DESC(depth, "Frames that may wait");

static struct kmem_cache *buffer_cache;
static struct ring *ring;

static void ring_free_buffer(struct ring_buffer *buffer)
{
	kfree(buffer->data);
	kmem_cache_free(buffer_cache, buffer);
}

/* The caller holds the lock and is in an interrupt: nothing here may sleep. */
static int ring_queue(const void *data, size_t bytes)
{
	struct ring_buffer *buffer;
	struct ring_slot *slot;

	if (ring->pending == depth)
		return -ENOSPC;
	buffer = kmem_cache_alloc(buffer_cache, GFP_ATOMIC);
	if (!buffer)
		return -ENOMEM;
	buffer->data = kmemdup(data, bytes, GFP_ATOMIC);
	if (!buffer->data) {
		kmem_cache_free(buffer_cache, buffer);
		return -ENOMEM;
	}
	buffer->sequence = ring->next_sequence++;
	buffer->bytes = bytes;
	list_add_tail(&buffer->link, &ring->buffers);
	ring->pending++;

	slot = &ring->slots[buffer->sequence % slots];
	slot->uses++;
	slot->last_bytes = bytes;
	return 0;
}

int ring_receive(const void *data, size_t bytes)
{
	unsigned long flags;
	int error;

	if (!ring)
		return -ENODEV;
	if (bytes > RING_MAX_FRAME)
		return -EMSGSIZE;
	spin_lock_irqsave(&ring->lock, flags);
	error = ring_queue(data, bytes);
	spin_unlock_irqrestore(&ring->lock, flags);
	return error;
}

ssize_t ring_read(void *to, size_t room)
{
	struct ring_buffer *buffer;
	ssize_t bytes = -EAGAIN;

	might_sleep();
	if (!ring)
		return -ENODEV;
	spin_lock_irq(&ring->lock);
	buffer = list_first_entry_or_null(&ring->buffers, struct ring_buffer, link);
	if (buffer) {
		bytes = buffer->bytes <= room ? (ssize_t)buffer->bytes : -ENOBUFS;
		if (bytes >= 0) {
			list_del(&buffer->link);
			ring->pending--;
		}
	}
	spin_unlock_irq(&ring->lock);
	if (bytes < 0)
		return bytes;

	memcpy(to, buffer->data, bytes);
	ring_free_buffer(buffer);
	return bytes;
}

u32 ring_slot_uses(unsigned int slot)
{
	return ring && slot < slots ? ring->slots[slot].uses : 0;
}

unsigned int ring_pending(void)
{
	return ring ? READ_ONCE(ring->pending) : 0;
}

static int __init ring_init(void)
{
	int error = -ENOMEM;

	if (!slots || !depth)
		return -EINVAL;
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	buffer_cache = KMEM_CACHE(ring_buffer, SLAB_HWCACHE_ALIGN);
	if (!buffer_cache)
		goto free_ring;
	ring->slots = vzalloc(array_size(slots, sizeof(*ring->slots)));
	if (!ring->slots)
		goto destroy_cache;
	spin_lock_init(&ring->lock);
	INIT_LIST_HEAD(&ring->buffers);
	pr_info("%u slots, %u buffers of %u bytes\n", slots, depth, kmem_cache_size(buffer_cache));
	return 0;

destroy_cache:
	kmem_cache_destroy(buffer_cache);
free_ring:
	kfree(ring);
	ring = NULL;
	return error;
}

static void __exit ring_exit(void)
{
	struct ring_buffer *buffer, *next;
	unsigned int unread = 0;

	list_for_each_entry_safe (buffer, next, &ring->buffers, link) {
		list_del(&buffer->link);
		ring_free_buffer(buffer);
		unread++;
	}
	vfree(ring->slots);
	kmem_cache_destroy(buffer_cache);
	kfree(ring);
	pr_info("gone, %u frames unread\n", unread);
}

module_init(ring_init);
module_exit(ring_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Frames from interrupt context to readers");
