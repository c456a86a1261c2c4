/**
 * Programs that tests compare against (compilers, readelf, gdb, QEMU, Unicorn) and that a machine may not have.
 * A test asks for what it needs:
 *
 *     const objdump = requireTool(t, 'arm-none-eabi-objdump');
 *     if (objdump === undefined) return;
 *
 * On a developer's machine the test is then skipped, naming the program; with CI=true it fails instead, so that
 * no suite can be lost unnoticed.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';

/** Where Debian and other distributions put shared libraries. */
function findLibrary(name: string): string | undefined {
  const folders = ['/usr/lib', '/usr/local/lib', '/lib', '/usr/lib64'];
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    const multiarch = readdirSync(folder).filter((entry) => entry.includes('-linux-'));
    for (const candidate of ['', ...multiarch]) {
      const path = join(folder, candidate, name);
      if (existsSync(path)) return path;
    }
  }
  return undefined;
}

function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Path of a program or (lib*.so*) shared library; undefined when this machine has none. */
export function findTool(name: string): string | undefined {
  return /^lib.*\.so/.test(name) ? findLibrary(name) : findProgram(name);
}

/** The tool's path. Without it the test is marked as skipped (the caller returns), or fails when CI is 'true'. */
export function requireTool(t: Pick<TestContext, 'skip'>, name: string): string | undefined {
  const path = findTool(name);
  if (path === undefined) {
    if (process.env['CI'] === 'true') throw new Error(`${name} is not installed, and CI may skip nothing`);
    t.skip(`needs ${name}`);
  }
  return path;
}

/** Standard output of a tool that must succeed. */
export function runTool(
  path: string,
  args: readonly string[],
  options: { cwd?: string; input?: Uint8Array; timeout?: number } = {},
): string {
  return execFileSync(path, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
