/* SPDX-License-Identifier: MIT */
/*
 * From the loader's 32-bit protected mode without paging to start_kernel() in the upper half.
 * The other CPUs come the same way, from trampoline.S.
 */
#define POINTER .quad
#define POINTER_BYTES 8
#include "x86/boot_headers.S"

#define CR0_PAGING 0x80010001	/* PG, WP, PE */
#define CR4_PAGING 0xa0		/* PGE, PAE */
#define EFER 0xc0000080
#define EFER_LONG_MODE 0x900	/* NXE, LME */
#define CODE64 0x08
#define DATA 0x10

	.text
	.code32
	.globl start_pvh, start_multiboot2, start_secondary
start_pvh:
	xorl	%eax, %eax
start_multiboot2:
	cli
	cld
	movl	%eax, %edi		/* arguments of start_kernel() */
	movl	%ebx, %esi
	movl	$PHYSICAL(start_upper_half), %ebp
	jmp	enter_long_mode
start_secondary:
	movl	$PHYSICAL(secondary_upper_half), %ebp

enter_long_mode:			/* and jump to %ebp + KERNEL_OFFSET */
	movl	$CR4_PAGING, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$EFER, %ecx
	rdmsr
	orl	$EFER_LONG_MODE, %eax
	wrmsr
	movl	$CR0_PAGING, %eax
	movl	%eax, %cr0
	lgdt	PHYSICAL(boot_gdt_pointer)
	ljmp	$CODE64, $PHYSICAL(in_long_mode)

	.code64
in_long_mode:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%ebp, %eax
	addq	$KERNEL_OFFSET, %rax
	xorl	%ebp, %ebp		/* a backtrace ends here */
	jmp	*%rax

start_upper_half:
	movq	$quarry_boot_stack_end, %rsp
	movl	%edi, %edi
	movl	%esi, %esi
	call	start_kernel
	ud2

secondary_upper_half:
	/* Stacks lie in the direct map. */
	movq	$PHYSICAL(quarry_kernel_root), %rax
	movq	%rax, %cr3
	movq	quarry_secondary_stack, %rsp
	call	start_secondary_cpu
	ud2

	.section .rodata
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* code, 64-bit */
	.quad	0x00cf92000000ffff	/* data */
boot_gdt_end:
boot_gdt_pointer:
	.short	boot_gdt_end - boot_gdt - 1
	.quad	PHYSICAL(boot_gdt)

/* The first GiB twice: where it is, and where the kernel is linked. */
	.data
	.balign 4096
boot_pml4:
	.quad	PHYSICAL(boot_pdpt) + 3
	.fill	510, 8, 0
	.quad	PHYSICAL(boot_pdpt) + 3
boot_pdpt:
	.quad	PHYSICAL(boot_directory) + 3
	.fill	509, 8, 0
	.quad	PHYSICAL(boot_directory) + 3
	.quad	0
boot_directory:
	.set	page, 0
	.rept	512
	.quad	page + 0x83
	.set	page, page + 0x200000
	.endr

	.bss
	.balign 4096
	.globl quarry_kernel_root
quarry_kernel_root:		/* filled by paging.cc */
	.skip	4096
