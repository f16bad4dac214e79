// SPDX-License-Identifier: MIT
// The driver's hardware and its reader: interrupts bring frames, the reader checks them.
#include <errno.h>
#include <linux/preempt.h>
#include <stdio.h>
#include <stdlib.h>

#include "ring.h"

enum { FRAMES = 10000, BURST = 100, MAX_BYTES = 2000 };

static unsigned int mistakes;

static void expect(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "wrong: %s\n", what);
	++mistakes;
}

static size_t frame_bytes(unsigned int number)
{
	return number * 37 % MAX_BYTES;
}

static unsigned char frame_byte(unsigned int number, size_t at)
{
	return (unsigned char)(number * 31 + at);
}

static int raise_interrupt(unsigned int number)
{
	unsigned char frame[MAX_BYTES];
	const size_t bytes = frame_bytes(number);
	for (size_t i = 0; i != bytes; ++i)
		frame[i] = frame_byte(number, i);
	irq_enter();
	const int error = ring_receive(frame, bytes);
	irq_exit();
	return error;
}

static void read_and_check(unsigned int number)
{
	unsigned char frame[MAX_BYTES];
	const ssize_t bytes = ring_read(frame, sizeof(frame));
	expect(bytes == (ssize_t)frame_bytes(number), "a frame's length");
	for (ssize_t i = 0; i < bytes; ++i) {
		if (frame[i] != frame_byte(number, (size_t)i)) {
			expect(0, "a frame's contents");
			return;
		}
	}
}

int main(void)
{
	unsigned char small[8];
	unsigned int refused = 0;

	if (ring_read(small, sizeof(small)) == -ENODEV) {
		fprintf(stderr, "there is no ring\n");
		return EXIT_FAILURE;
	}
	for (unsigned int number = 0; number != FRAMES; number += BURST) {
		for (unsigned int i = 0; i != BURST; ++i)
			expect(raise_interrupt(number + i) == 0, "receive");
		expect(ring_pending() == BURST, "frames waiting");
		for (unsigned int i = 0; i != BURST; ++i)
			read_and_check(number + i);
	}
	expect(ring_read(small, sizeof(small)) == -EAGAIN, "an empty ring");
	for (unsigned int slot = 0; slot != FRAMES; ++slot) {
		expect(ring_slot_uses(slot) == 1, "the use of a slot");
	}

	// More than may wait; the module frees what nobody reads.
	while (raise_interrupt(1) == 0)
		++refused;
	expect(raise_interrupt(1) == -ENOSPC, "a full ring");
	expect(ring_read(small, sizeof(small)) == -ENOBUFS,
	       "a frame larger than the reader's buffer");
	printf("%d frames read, %u left unread, %u mistakes\n", FRAMES, refused, mistakes);
	return mistakes == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
