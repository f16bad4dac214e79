/* SPDX-License-Identifier: MIT */
/*
 * From QEMU's -kernel (the PVH entry: 32-bit protected mode without paging, EBX has the physical
 * address of the start information) to kernel_main(), at the addresses that kernel.ld links for.
 */
#define KERNEL_OFFSET 0xffffffff80000000
#define PHYSICAL(symbol) (symbol - KERNEL_OFFSET)

	.section .note.pvh, "a", @note
	.balign 4
	.long	4, 8, 18		/* name, contents, type: XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	PHYSICAL(start)

	.text
	.code32
	.globl start
start:
	cld
	movl	%ebx, %edi		/* argument of kernel_main() */
	/* PGE and PAE. The core marks its mappings global, and NXE has to be on because it marks
	   them as no code too. */
	movl	$0xa0, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(page_table_root), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER: NXE, LME */
	rdmsr
	orl	$0x900, %eax
	wrmsr
	movl	$0x80010001, %eax	/* PG, WP, PE. WP: read-only holds for the kernel too */
	movl	%eax, %cr0
	lgdt	PHYSICAL(low_gdt_pointer)
	ljmp	$8, $PHYSICAL(long_mode)

	.code64
long_mode:
	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movq	$upper_half, %rax
	jmp	*%rax
upper_half:
	lgdt	gdt_pointer
	movq	$0, page_table_root	/* from now on null pointers fault */
	movq	%cr3, %rax
	movq	%rax, %cr3
	movq	$stack_end, %rsp
	movl	%edi, %edi
	call	kernel_main
	ud2

/* Exceptions. None of them comes back, so nothing is saved. */
	.balign 16
	.globl trap_entries
trap_entries:
	.set	vector, 0
	.rept	32
	.balign 16
	pushq	$vector
	jmp	trap
	.set	vector, vector + 1
	.endr
trap:
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	die_of_trap

	.section .rodata
	.balign 8
gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* code, 64-bit */
	.quad	0x00cf92000000ffff	/* data */
low_gdt_pointer:
	.short	23
	.long	PHYSICAL(gdt)
gdt_pointer:
	.short	23
	.quad	gdt

/* The first GiB of physical memory, where it is and at KERNEL_OFFSET. */
	.data
	.balign 4096
	.globl page_table_root
page_table_root:
	.quad	PHYSICAL(upper_table) + 3
	.fill	510, 8, 0
	.quad	PHYSICAL(upper_table) + 3
upper_table:
	.quad	PHYSICAL(middle_table) + 3
	.fill	509, 8, 0
	.quad	PHYSICAL(middle_table) + 3
	.quad	0
middle_table:
	.set	page, 0
	.rept	512
	.quad	page + 0x83		/* present, writable, 2 MiB */
	.set	page, page + 0x200000
	.endr

	.bss
	.balign 16
	.skip	0x10000
stack_end:
