/** Small RISC-V programs by the words that GNU as makes of them (without compressed forms), for address 0x20000000. */
export const programs = {
  /** li a0,0; li a1,1000; 1: addi a0,a0,3; addi a1,a1,-1; bnez a1,1b; ret */
  countingLoop: [0x00000513, 0x3e800593, 0x00350513, 0xfff58593, 0xfe059ce3, 0x00008067],
  /**
   * li a0,0; li a1,200; 1: auipc a2,0; slli a3,a1,20; lui a4,0x50; addi a4,a4,0x513; or a3,a3,a4; sw a3,28(a2); fence.i;
   * addi a0,a0,0; addi a1,a1,-1; bnez a1,1b; ret
   */
  rewritingLoop: [
    0x00000513, 0x0c800593, 0x00000617, 0x01459693, 0x00050737, 0x51370713, 0x00e6e6b3, 0x00d62e23, 0x0000100f,
    0x00050513, 0xfff58593, 0xfc059ee3, 0x00008067,
  ],
  /** 1: sw a0,0(a1); addi a1,a1,4; addi a0,a0,1; j 1b */
  storing: [0x00a5a023, 0x00458593, 0x00150513, 0xff5ff06f],
  /** 1: addi sp,sp,-16; sw a0,0(sp); j 1b */
  pushing: [0xff010113, 0x00a12023, 0xff9ff06f],
  /** 1: lw a0,0(a1); addi a2,a2,1; li a3,100; bne a2,a3,1b; sw a0,0(a1) */
  readOnly: [0x0005a503, 0x00160613, 0x06400693, 0xfed61ae3, 0x00a5a023],
  /**
   * f: addi sp,sp,-16; sw ra,0(sp); sw s0,4(sp); mv s0,a0; beqz a0,1f; addi a0,a0,-1; jal f; add a0,a0,s0; 1: lw ra,0(sp);
   * lw s0,4(sp); addi sp,sp,16; ret
   */
  sum32: [
    0xff010113, 0x00112023, 0x00812223, 0x00050413, 0x00050863, 0xfff50513, 0xfe9ff0ef, 0x00850533, 0x00012083,
    0x00412403, 0x01010113, 0x00008067,
  ],
  /**
   * f: addi sp,sp,-16; sd ra,0(sp); sd s0,8(sp); mv s0,a0; beqz a0,1f; addi a0,a0,-1; jal f; add a0,a0,s0; 1: ld ra,0(sp);
   * ld s0,8(sp); addi sp,sp,16; ret
   */
  sum64: [
    0xff010113, 0x00113023, 0x00813423, 0x00050413, 0x00050863, 0xfff50513, 0xfe9ff0ef, 0x00850533, 0x00013083,
    0x00813403, 0x01010113, 0x00008067,
  ],
  /** 1: csrr a3,minstret; add a4,a4,a3; sw a3,0(a2); addi a1,a1,-1; bnez a1,1b; wfi; ret */
  counting: [0xb02026f3, 0x00d70733, 0x00d62023, 0xfff58593, 0xfe0598e3, 0x10500073, 0x00008067],
  /**
   * 1: lr.w a3,(a2); addi a3,a3,1; sc.w a4,a3,(a2); bnez a4,1b; amoadd.w a5,a3,(a2); amomaxu.w a6,a1,(a2); addi a1,a1,-1;
   * bnez a1,1b; sc.w a4,a3,(a2); addi a2,a2,1; amoadd.w a5,a3,(a2)
   */
  atomics: [
    0x100626af, 0x00168693, 0x18d6272f, 0xfe071ae3, 0x00d627af, 0xe0b6282f, 0xfff58593, 0xfe0592e3, 0x18d6272f,
    0x00160613, 0x00d627af,
  ],
  /** 1: ecall; addi a0,a0,1; addi a1,a1,-1; bnez a1,1b; ret */
  calling: [0x00000073, 0x00150513, 0xfff58593, 0xfe059ae3, 0x00008067],
  /** csrr t0,mepc; addi t0,t0,4; csrw mepc,t0; addi s2,s2,1; mret */
  skipping: [0x341022f3, 0x00428293, 0x34129073, 0x00190913, 0x30200073],
  /** 1: lw a0,0(a2); sw a0,3(a2); addi a2,a2,1; addi a1,a1,-1; bnez a1,1b; ret */
  misaligned: [0x00062503, 0x00a621a3, 0x00160613, 0xfff58593, 0xfe0598e3, 0x00008067],
  /** 1: lw a0,0(a2); add a3,a3,a0; addi a2,a2,4; addi a1,a1,-1; bnez a1,1b; ret */
  loading: [0x00062503, 0x00a686b3, 0x00460613, 0xfff58593, 0xfe0598e3, 0x00008067],
  /**
   * 1: andi t0,a1,3; slli t0,t0,2; lui t1,0x20000; addi t1,t1,0x400; add t0,t0,t1; lw t0,0(t0); jr t0; 2: addi a0,a0,1; j
   * 6f; 3: addi a0,a0,10; j 6f; 4: addi a0,a0,100; j 6f; 5: slli a2,a0,1; 6: addi a1,a1,-1; bnez a1,1b; ret
   */
  table32: [
    0x0035f293, 0x00229293, 0x20000337, 0x40030313, 0x006282b3, 0x0002a283, 0x00028067, 0x00150513, 0x0180006f,
    0x00a50513, 0x0100006f, 0x06450513, 0x0080006f, 0x00151613, 0xfff58593, 0xfc0592e3, 0x00008067,
  ],
  /**
   * 1: andi t0,a1,3; slli t0,t0,3; lui t1,0x20000; addi t1,t1,0x400; add t0,t0,t1; ld t0,0(t0); jr t0; 2: addi a0,a0,1; j
   * 6f; 3: addi a0,a0,10; j 6f; 4: addi a0,a0,100; j 6f; 5: slli a2,a0,1; 6: addi a1,a1,-1; bnez a1,1b; ret
   */
  table64: [
    0x0035f293, 0x00329293, 0x20000337, 0x40030313, 0x006282b3, 0x0002b283, 0x00028067, 0x00150513, 0x0180006f,
    0x00a50513, 0x0100006f, 0x06450513, 0x0080006f, 0x00151613, 0xfff58593, 0xfc0592e3, 0x00008067,
  ],
  /** 1: lw a0,0(a2); addi a1,a1,-1; bnez a1,1b; li a3,1; slli a3,a3,32; add a2,a2,a3; lw a0,0(a2) */
  beyond: [0x00062503, 0xfff58593, 0xfe059ce3, 0x00100693, 0x02069693, 0x00d60633, 0x00062503],
  /** 1: auipc ra,0; jalr ra,28(ra); addi a1,a1,-1; bnez a1,1b; ebreak; nop; nop; addi a0,a0,2; ret */
  far: [0x00000097, 0x01c080e7, 0xfff58593, 0xfe059ae3, 0x00100073, 0x00000013, 0x00000013, 0x00250513, 0x00008067],
  /** 1: sd a1,0(a2); ld a0,0(a2); add a3,a3,a0; sub a4,a4,a1; sd a4,8(a2); addi a1,a1,-1; bnez a1,1b; ebreak */
  doublewords: [0x00b63023, 0x00063503, 0x00a686b3, 0x40b70733, 0x00e63423, 0xfff58593, 0xfe0594e3, 0x00100073],
  /** 1: addi a1,a1,-1; addi a0,a0,1; bnez a1,1b; ebreak */
  nothingButALoop: [0xfff58593, 0x00150513, 0xfe059ce3, 0x00100073],
  /**
   * 1: fld fa0,0(a2); fsgnjn.d fa1,fa0,fa0; fsd fa1,8(a2); flw fa2,0(a2); fmv.x.w a3,fa2; fmv.w.x fa3,a3; fsgnjx.s
   * fa4,fa0,fa3; fadd.s fa5,fa3,fa2; fsw fa5,16(a2); addi a2,a2,4; addi a1,a1,-1; bnez a1,1b; ret
   */
  floats: [
    0x00063507, 0x22a515d3, 0x00b63427, 0x00062607, 0xe00606d3, 0xf00686d3, 0x20d52753, 0x00c6f7d3, 0x00f62827,
    0x00460613, 0xfff58593, 0xfc059ae3, 0x00008067,
  ],
  /** 1: lw a0,0(a2); add a3,a3,a0; addi a1,a1,-1; bnez a1,1b; ecall; j 1b */
  switching: [0x00062503, 0x00a686b3, 0xfff58593, 0xfe059ae3, 0x00000073, 0xfedff06f],
} as const;
