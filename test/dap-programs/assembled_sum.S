	.syntax unified
	.thumb
	.text
	.global asm_sum
	.type asm_sum, %function
	.thumb_func
asm_sum:
	push {r4, lr}
	adds r0, r0, r1 // #SUM
	movs r4, #1
	adds r0, r0, r4
	pop {r4, pc}
	.size asm_sum, . - asm_sum

	// Without a type or a size.
	.global asm_plain
	.thumb_func
asm_plain:
	adds r0, #1 // #PLAIN
	bx lr
	.section .note.GNU-stack, "", %progbits
