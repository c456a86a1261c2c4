/*
 * Ways in which RISC-V functions make their frames, without call-frame information: what test/program-prologue.test.ts
 * steps through. Built by `make.sh` in this folder.
 */
#if __riscv_xlen == 64
#define SX sd
#define LX ld
#define Z 8
#else
#define SX sw
#define LX lw
#define Z 4
#endif

	.text
	.macro func name
	.balign 2
	.type \name, @function
\name:
	.endm
	.macro endfunc name
	.size \name, . - \name
	.endm

	.global entry
func entry
	addi	sp, sp, -4*Z
	SX	ra, 3*Z(sp)
	SX	s0, 2*Z(sp)
	SX	s1, Z(sp)
	li	s0, 0x123
	li	s1, 0x456
	la	a1, leaf
	call	twice
	li	a0, 48
	call	pointed
	call	large
	call	larger
	li	a0, 0
	call	late
	li	a0, 1
	call	late
	call	routine
	call	kept
	li	a0, 1
	call	chosen
	li	a0, 0
	call	chosen
	call	interleaved
	call	words
	call	labelled
#ifdef __riscv_flen
	call	floats
#endif
	call	wide
	call	tail
	li	a0, 0
	LX	s1, Z(sp)
	LX	s0, 2*Z(sp)
	LX	ra, 3*Z(sp)
	addi	sp, sp, 4*Z
	ret
endfunc entry

func leaf
	addi	a0, a0, 1
	ret
endfunc leaf

/* A call by a register that the function keeps. */
func twice
	addi	sp, sp, -4*Z
	SX	ra, 3*Z(sp)
	SX	s0, 2*Z(sp)
	mv	s0, a1
	jalr	s0
	jalr	s0
	LX	ra, 3*Z(sp)
	LX	s0, 2*Z(sp)
	addi	sp, sp, 4*Z
	ret
endfunc twice

/* s0 as the frame pointer, because sp moves by a0. */
func pointed
	addi	sp, sp, -4*Z
	SX	ra, 3*Z(sp)
	SX	s0, 2*Z(sp)
	addi	s0, sp, 4*Z
	SX	s1, -3*Z(s0)
	sub	sp, sp, a0
	mv	s1, sp
	call	leaf
	addi	sp, s0, -4*Z
	LX	s1, -3*Z(s0)
	LX	ra, 3*Z(sp)
	LX	s0, 2*Z(sp)
	addi	sp, sp, 4*Z
	jr	ra
endfunc pointed

/* Frames beyond the reach of an immediate. */
func large
	addi	sp, sp, -16*Z
	SX	ra, 15*Z(sp)
	SX	s2, 14*Z(sp)
	lui	t0, 1
	addi	t1, t0, -2048
	sub	sp, sp, t1
	li	s2, 7
	call	leaf
	li	t1, 2048
	add	sp, sp, t1
	LX	s2, 14*Z(sp)
	LX	ra, 15*Z(sp)
	addi	sp, sp, 16*Z
	ret
endfunc large

func larger
	.option	push
	.option	norvc
	addi	sp, sp, -4*Z
	SX	ra, 3*Z(sp)
	SX	s11, 2*Z(sp)
	li	t0, -2080
	add	sp, sp, t0
	li	s11, 9
	call	leaf
	li	t0, 2080
	add	sp, t0, sp
	LX	s11, 2*Z(sp)
	LX	ra, 3*Z(sp)
	addi	sp, sp, 4*Z
	ret
	.option	pop
endfunc larger

/* No frame unless it is needed. */
func late
	bnez	a0, 1f
	li	a0, 5
	ret
1:	addi	sp, sp, -2*Z
	SX	ra, Z(sp)
	call	leaf
	beqz	zero, 2f
	call	leaf
2:	LX	ra, Z(sp)
	addi	sp, sp, 2*Z
	ret
endfunc late

/* -msave-restore. */
func routine
	call	t0, __riscv_save_1
	li	s0, 1
	call	leaf
	tail	__riscv_restore_1
endfunc routine

/* ra in a register. */
func kept
	mv	t1, ra
	li	ra, 3
	add	a0, a0, ra
	mv	ra, t1
	ret
endfunc kept

/* By a table of places. */
func chosen
	addi	sp, sp, -4*Z
	SX	ra, 3*Z(sp)
	slli	a0, a0, 2
	la	a1, 1f
	add	a0, a0, a1
	jr	a0
	.option	push
	.option	norvc
	.option	norelax
1:	j	2f
	j	3f
	.option	pop
2:	li	a0, 3
	j	4f
3:	call	leaf
4:	LX	ra, 3*Z(sp)
	addi	sp, sp, 4*Z
	ret
endfunc chosen

/* Other work between the stores, also to other places, and a slot that is used again. */
func interleaved
	slli	a0, a0, 3
	addi	sp, sp, -8*Z
	xori	a1, a0, 5
	SX	s3, 6*Z(sp)
	la	a2, cell
	SX	a1, 0(a2)
	SX	ra, 7*Z(sp)
	li	s3, 8
	sb	a1, 5*Z(sp)
	lbu	a1, 5*Z(sp)
	fence
	csrr	a1, mscratch
	call	leaf
	LX	ra, 7*Z(sp)
	SX	a1, 7*Z(sp)
	LX	s3, 6*Z(sp)
	addi	sp, sp, 8*Z
	ret
endfunc interleaved

/* Registers of other numbers than those that C uses. */
func words
	addi	sp, sp, -16*Z
	SX	s4, Z(sp)
	SX	s5, 2*Z(sp)
	SX	s6, 3*Z(sp)
	SX	s7, 4*Z(sp)
	SX	s8, 5*Z(sp)
	SX	s9, 6*Z(sp)
	SX	s10, 7*Z(sp)
	addi	s4, sp, 8*Z
	addi	a4, sp, 8*Z
	SX	s11, 0(a4)
	li	s5, 1
	li	s6, 2
	mv	s7, s6
	add	s8, s6, s5
	mv	s9, s8
	LX	s11, 0(a4)
	LX	s4, Z(sp)
	LX	s5, 2*Z(sp)
	LX	s6, 3*Z(sp)
	LX	s7, 4*Z(sp)
	LX	s8, 5*Z(sp)
	LX	s9, 6*Z(sp)
	LX	s10, 7*Z(sp)
	addi	sp, sp, 16*Z
	ret
endfunc words

/* A label that is no function, in the middle. */
func labelled
	addi	sp, sp, -4*Z
	SX	ra, 3*Z(sp)
	li	a3, 2
	.global again
again:
	call	leaf
	li	a3, 0
	bnez	a3, again
	LX	ra, 3*Z(sp)
	addi	sp, sp, 4*Z
	ret
endfunc labelled

#ifdef __riscv_flen
func floats
	addi	sp, sp, -8*Z
	fsd	fs0, 3*8(sp)
	SX	ra, 5*Z(sp)
	fsd	fs1, 8(sp)
	fmv.d	fs0, fa0
	fadd.d	fs1, fa0, fs0
	call	leaf
	fld	fs0, 3*8(sp)
	fld	fs1, 8(sp)
	LX	ra, 5*Z(sp)
	addi	sp, sp, 8*Z
	ret
endfunc floats
#endif

/* C.ADDI16SP and C.ADDI4SPN. */
func wide
	addi	sp, sp, -256
	SX	ra, 240(sp)
	SX	s1, 232(sp)
	addi	s1, sp, 128
	call	leaf
	LX	s1, 232(sp)
	LX	ra, 240(sp)
	addi	sp, sp, 256
	ret
endfunc wide

func tail
	addi	sp, sp, -4*Z
	SX	ra, 3*Z(sp)
	call	leaf
	LX	ra, 3*Z(sp)
	addi	sp, sp, 4*Z
	tail	leaf
endfunc tail

/* As libgcc has them. */
func __riscv_save_1
	addi	sp, sp, -4*Z
	SX	s1, Z(sp)
	SX	s0, 2*Z(sp)
	SX	ra, 3*Z(sp)
	jr	t0
endfunc __riscv_save_1

func __riscv_restore_1
	LX	s1, Z(sp)
	LX	s0, 2*Z(sp)
	LX	ra, 3*Z(sp)
	addi	sp, sp, 4*Z
	ret
endfunc __riscv_restore_1

	.data
	.balign	8
cell:	.zero	8

	.section .exported_sym, "a"
	.balign	Z
#if Z == 8
	.dword	name, entry
#else
	.word	name, entry
#endif
	.section .rodata.str, "a"
name:	.asciz	"entry"
