/**
 * Big extensions for the loader's benchmark, as assembler source: functions that call each other and the base image, data that points at
 * functions, data and strings, in the sections that a compiler makes. Half of the relocations are in code.
 */

export type BenchArch = 'thumb' | 'rv32';

/** `bytes` of sections and `relocations` in all, both roughly. Deterministic. */
export function bigExtension(arch: BenchArch, bytes: number, relocations: number): string {
  const functions = Math.max(1, Math.floor(relocations / 8));
  const padding = Math.max(0, Math.floor(bytes / functions) - 60);
  const [code, data] = [align(padding / 2), align(padding / 4)];
  const lines = arch === 'thumb' ? ['.syntax unified', '.thumb', '.text'] : ['.option norelax', '.text'];
  for (let i = 0; i < functions; i++) {
    lines.push(`.global f${i}`, `.type f${i},%function`);
    lines.push(
      ...(arch === 'thumb' ? thumbFunction : riscvFunction)(i, Math.max(0, i - ((i * 7919) % 64))),
      `.space ${code}`,
    );
  }
  lines.push('.data');
  for (let i = 0; i < functions; i++) {
    lines.push(`.global d${i}`, `.type d${i},%object`, '.balign 4');
    lines.push(`d${i}: .word f${i}, d${(i * 31) % functions}, printk, r${i}`, `.space ${data}`);
  }
  lines.push('.section .rodata');
  for (let i = 0; i < functions; i++) {
    lines.push(`.global r${i}`, `.type r${i},%object`, '.balign 4', `r${i}: .asciz "string ${i}"`, `.space ${data}`);
  }
  lines.push('.section .exported_sym,"a"', '.balign 4', '.word r0, f0', '');
  return lines.join('\n');
}

function align(bytes: number): number {
  return Math.floor(bytes / 4) * 4;
}

function thumbFunction(i: number, callee: number): string[] {
  return [
    '.thumb_func',
    `f${i}:`,
    'push {r4,lr}',
    `movw r0,#:lower16:d${i}`,
    `movt r0,#:upper16:d${i}`,
    `bl f${callee}`,
    'ldr r3,=printk',
    'blx r3',
    'pop {r4,pc}',
    '.ltorg',
  ];
}

function riscvFunction(i: number, callee: number): string[] {
  return ['.balign 4', `f${i}:`, `lui a0,%hi(d${i})`, `addi a0,a0,%lo(d${i})`, `call f${callee}`, 'call printk', 'ret'];
}
