/* SPDX-License-Identifier: MIT */
/*
 * What makes one ELF file startable in two ways; included by boot.S of both ports. QEMU finds the
 * physical address of start_pvh in the note, GRUB that of start_multiboot2 in the header.
 */
#define PHYSICAL(symbol) (symbol - KERNEL_OFFSET)

	.section .note.pvh, "a", @note
	.balign 4
	.long	4, POINTER_BYTES, 18	/* name, contents, type: XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	POINTER	PHYSICAL(start_pvh)

	.section .multiboot2, "a"
	.balign 8
multiboot2_header:
	.long	0xe85250d6, 0, multiboot2_end - multiboot2_header
	.long	-(0xe85250d6 + (multiboot2_end - multiboot2_header))
	.short	3, 0			/* entry address */
	.long	12
	.long	PHYSICAL(start_multiboot2)
	.balign 8
	.short	0, 0			/* end */
	.long	8
multiboot2_end:
