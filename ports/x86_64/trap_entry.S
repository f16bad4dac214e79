/* SPDX-License-Identifier: MIT */
/*
 * 256 entries of 16 bytes each; they make the stack look alike for all vectors (port_trap.h) and
 * call handle_trap(). And the accesses that are allowed to fault (x86/probe.h).
 */
	.text
	.balign 16
	.globl quarry_trap_entries
quarry_trap_entries:
	.set	vector, 0
	.rept	256
	.balign 16
	/* With these the CPU pushes an error code. */
	.if	vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	call	handle_trap
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	iretq

	.globl quarry_probe_load, quarry_probe_load_at
	.globl quarry_probe_store, quarry_probe_store_at, quarry_probe_failed
quarry_probe_load:			/* (address, value) */
quarry_probe_load_at:
	movl	(%rdi), %eax
	movl	%eax, (%rsi)
	movl	$1, %eax
	ret
quarry_probe_store:			/* (address, value) */
quarry_probe_store_at:
	movl	%esi, (%rdi)
	movl	$1, %eax
	ret
quarry_probe_failed:
	xorl	%eax, %eax
	ret
