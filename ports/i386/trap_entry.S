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
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	pushal
	cld
	movl	%esp, %eax
	movl	%esp, %ebx		/* kept by the call; the interrupted one's is saved */
	andl	$-16, %esp
	subl	$12, %esp
	pushl	%eax
	call	handle_trap
	movl	%ebx, %esp
	popal
	addl	$8, %esp
	iretl

	.globl quarry_probe_load, quarry_probe_load_at
	.globl quarry_probe_store, quarry_probe_store_at, quarry_probe_failed
quarry_probe_load:			/* (address, value) */
	movl	4(%esp), %ecx
	movl	8(%esp), %edx
quarry_probe_load_at:
	movl	(%ecx), %eax
	movl	%eax, (%edx)
	movl	$1, %eax
	ret
quarry_probe_store:			/* (address, value) */
	movl	4(%esp), %ecx
	movl	8(%esp), %edx
quarry_probe_store_at:
	movl	%edx, (%ecx)
	movl	$1, %eax
	ret
quarry_probe_failed:
	xorl	%eax, %eax
	ret
