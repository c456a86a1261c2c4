/**
 * `node --import tsx scripts/compare-dwarf.ts [FILE...]`: all entries, attributes and line rows of large ELF files beside
 * llvm-dwarfdump's. Without files: newlib's and picolibc's libc.a linked whole, with and without dwz, and the largest detached debug file
 * of the C library of this machine (Debian's libnewlib-arm-none-eabi, picolibc-arm-none-eabi, picolibc-riscv64-unknown-elf, libc6-dbg).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWithDwarfdump } from '../test/support/compare-entries';
import { findTool } from '../test/support/tools';

const folder = mkdtempSync(join(tmpdir(), 'compare-dwarf-'));

function linkedWhole(linker: string, archive: string, name: string): string[] {
  if (!existsSync(archive)) return [];
  const output = join(folder, name);
  const options = ['-Ttext=0x10000', '-e0', '--unresolved-symbols=ignore-all', '-z', 'muldefs'];
  execFileSync(linker, [...options, '--whole-archive', archive, '-o', output], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (findTool('dwz') === undefined) return [output];
  execFileSync('dwz', ['-L', 'none', output, '-o', `${output}.dwz`]);
  return [output, `${output}.dwz`];
}

function largestDebugFile(): string[] {
  const root = '/usr/lib/debug/.build-id';
  if (!existsSync(root)) return [];
  const paths = readdirSync(root).flatMap((part) =>
    readdirSync(join(root, part)).map((name) => join(root, part, name)),
  );
  return paths.sort((a, b) => statSync(b).size - statSync(a).size).slice(0, 1);
}

try {
  const given = process.argv.slice(2);
  const files =
    given.length > 0
      ? given
      : [
          ...linkedWhole('arm-none-eabi-ld', '/usr/lib/arm-none-eabi/newlib/thumb/v7-m/nofp/libc.a', 'newlib.elf'),
          ...linkedWhole(
            'arm-none-eabi-ld',
            '/usr/lib/picolibc/arm-none-eabi/lib/thumb/v7-m/nofp/libc.a',
            'picolibc-arm.elf',
          ),
          ...linkedWhole('riscv64-unknown-elf-ld', '/usr/lib/picolibc/riscv64-unknown-elf/lib/libc.a', 'picolibc.elf'),
          ...largestDebugFile(),
        ];
  for (const file of files) {
    const { entries, rows } = compareWithDwarfdump('llvm-dwarfdump-14', file);
    console.log(`${file}: ${entries} entries and attributes, ${rows} rows of line tables are equal`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
