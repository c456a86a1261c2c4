@ What the fixtures of test/fixtures have nothing of: each line's effect on the frame is said by the directives behind it.
	.syntax unified
	.cpu cortex-m4
	.fpu fpv4-sp-d16
	.thumb
	.cfi_sections .debug_frame
	.text

	.global large
	.type large, %function
large:
	.cfi_startproc
	push {r4, r7, lr}
	.cfi_def_cfa_offset 12
	.cfi_offset r4, -12
	.cfi_offset r7, -8
	.cfi_offset lr, -4
	vpush {d8, d9}
	.cfi_def_cfa_offset 28
	.cfi_offset d8, -28
	.cfi_offset d9, -20
	subw sp, sp, #1000
	.cfi_def_cfa_offset 1028
	movw r4, #0x1170
	movt r4, #1
	sub.w sp, sp, r4
	.cfi_def_cfa_offset 71028
	vldr s0, [sp, #4]
	vmov r0, s0
	mrs r0, primask
	msr primask, r0
	svc #0
	cbz r0, again
	b.w leave
again:
	vadd.f32 s0, s0, s0
leave:
	add.w sp, sp, r4
	.cfi_def_cfa_offset 1028
	addw sp, sp, #1000
	.cfi_def_cfa_offset 28
	vpop {d8, d9}
	.cfi_def_cfa_offset 12
	.cfi_restore d8
	.cfi_restore d9
	pop {r4, r7, pc}
	.cfi_endproc
	.size large, . - large

	.global unsized
	.type unsized, %function
unsized:
	push {r4, lr}
label:
	bl large
	pop {r4, pc}

	.global behind
	.type behind, %function
behind:
	.rept 1000
	nop
	.endr
	bx lr
