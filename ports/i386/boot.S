/* SPDX-License-Identifier: MIT */
/*
 * From the loader's protected mode without paging to start_kernel() in the upper quarter. The
 * other CPUs come the same way, from trampoline.S.
 */
#define POINTER .long
#define POINTER_BYTES 4
#include "x86/boot_headers.S"

#define CR0_PAGING 0x80010001	/* PG, WP, PE */
#define CR4_PAGING 0x90		/* PGE, PSE */
#define CODE 0x08
#define DATA 0x10

	.text
	.globl start_pvh, start_multiboot2, start_secondary
start_pvh:
	xorl	%eax, %eax
start_multiboot2:
	cli
	cld
	movl	%eax, %edi
	movl	$start_upper_half, %ebp
	jmp	enable_paging
start_secondary:
	movl	$secondary_upper_half, %ebp

enable_paging:				/* and jump to %ebp */
	movl	$CR4_PAGING, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(boot_directory), %eax
	movl	%eax, %cr3
	movl	$CR0_PAGING, %eax
	movl	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmp	$CODE, $in_upper_half
in_upper_half:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%ebp, %eax
	xorl	%ebp, %ebp		/* a backtrace ends here */
	jmp	*%eax

start_upper_half:
	movl	$quarry_boot_stack_end - 8, %esp	/* with two arguments the stack is aligned to 16 */
	pushl	%ebx
	pushl	%edi
	call	start_kernel
	ud2

secondary_upper_half:
	/* Stacks lie in the direct map. */
	movl	$PHYSICAL(quarry_kernel_root), %eax
	movl	%eax, %cr3
	movl	quarry_secondary_stack, %esp
	call	start_secondary_cpu
	ud2

	.section .rodata
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00cf9a000000ffff	/* code */
	.quad	0x00cf92000000ffff	/* data */
boot_gdt_end:
boot_gdt_pointer:
	.short	boot_gdt_end - boot_gdt - 1
	.long	boot_gdt

/* 896 MiB twice: where they are, and where the kernel is linked. */
	.data
	.balign 4096
boot_directory:
	.set	page, 0
	.rept	224
	.long	page + 0x83
	.set	page, page + 0x400000
	.endr
	.fill	544, 4, 0
	.set	page, 0
	.rept	224
	.long	page + 0x83
	.set	page, page + 0x400000
	.endr
	.fill	32, 4, 0

	.bss
	.balign 4096
	.globl quarry_kernel_root
quarry_kernel_root:		/* filled by paging.cc */
	.skip	4096
