/** GNU as for test cases of RISC-V: text in, halfwords out. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ElfFile } from '../../lib/elf/elf-file';
import type { Xlen } from './riscv-program';
import { runTool } from './tools';

const extensions = 'imafdc_zicsr_zifencei_zba_zbb_zbc_zbs';
/** What stands between cases: no instruction. */
const separator = 0x8000;

/** The code of each text; its instructions are separated by `;`, only those whose name says so are compressed. */
export function assemble(as: string, xlen: Xlen, texts: readonly string[]): number[][] {
  const folder = mkdtempSync(join(tmpdir(), 'llext-cases-'));
  try {
    const lines = texts.map((text) => {
      const body = text.split('; ').map((one) => `.option ${/^c\./.test(one) ? 'rvc' : 'norvc'}\n${one}`);
      return `${body.join('\n')}\n.half ${separator}`;
    });
    writeFileSync(join(folder, 'cases.s'), `.option norelax\n${lines.join('\n')}\n`);
    runTool(as, [`-march=rv${xlen}${extensions}`, '-o', join(folder, 'cases.o'), join(folder, 'cases.s')]);
    const elf = ElfFile.parse(readFileSync(join(folder, 'cases.o')));
    const section = elf.sections.find(({ name }) => name === '.text');
    return section ? split(elf.sectionBytes(section)) : [];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function split(bytes: Uint8Array): number[][] {
  const found: number[][] = [];
  let current: number[] = [];
  const halfAt = (at: number) => bytes[at] | (bytes[at + 1] << 8);
  for (let at = 0; at < bytes.length;) {
    const half = halfAt(at);
    if (half === separator) {
      found.push(current);
      current = [];
      at += 2;
    } else if ((half & 3) === 3) {
      current.push(half, halfAt(at + 2));
      at += 4;
    } else {
      current.push(half);
      at += 2;
    }
  }
  return found;
}
