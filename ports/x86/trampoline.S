/* SPDX-License-Identifier: MIT */
/*
 * Where a CPU begins in real mode. It is copied to the physical page TRAMPOLINE, so all addresses
 * in it are made from that, and leads to start_secondary in boot.S.
 */
#define TRAMPOLINE 0x8000
#define AT(label) (TRAMPOLINE + label - quarry_trampoline)

	.section .rodata
	.globl quarry_trampoline, quarry_trampoline_end
	.code16
quarry_trampoline:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	AT(gdt_pointer)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $AT(protected)

	.code32
protected:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$start_secondary - KERNEL_OFFSET, %eax
	jmp	*%eax

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff	/* code, 32-bit */
	.quad	0x00cf92000000ffff	/* data */
gdt_pointer:
	.short	gdt_pointer - gdt - 1
	.long	AT(gdt)
quarry_trampoline_end:
