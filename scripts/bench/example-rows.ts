/**
 * Rows of the engine's benchmark about the examples: of the instructions of a session, how many WebAssembly executed. Each entry
 * function is called again and again for some millions of instructions, because one call is over before anything is hot. They
 * print and call the kernel all the time, and their data lie beside their code, as those of every extension do.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { findCpu } from '../../lib/arch';
import { EmulatedTarget } from '../../lib/target/emulated-target';
import { examplePath } from '../../test/support/fixtures';
import type { SessionRow } from './session-rows';

/** Files in the order of their loads, the last one's entry is called; the CPU when it is not the default. */
const examples: readonly { readonly files: readonly string[]; readonly cpu?: string }[] = [
  { files: ['hello/hello.llext'] },
  { files: ['sensor/sensor.llext'] },
  { files: ['endless/endless.llext'] },
  { files: ['init-fini/init_fini.llext'] },
  { files: ['dependency/dep_base.llext', 'dependency/dep_user.llext'] },
  { files: ['riscv/hello.rv32imac.llext'], cpu: 'rv32imac' },
  { files: ['riscv/sensor.rv32imac.llext'], cpu: 'rv32imac' },
  { files: ['riscv/hello.rv64imac.llext'], cpu: 'rv64imac' },
  { files: ['riscv/sensor.rv64imac.llext'], cpu: 'rv64imac' },
];

async function shareOf(files: readonly string[], cpuName: string | undefined, instructions: number): Promise<number> {
  const target = EmulatedTarget.create({ cpu: cpuName === undefined ? undefined : findCpu(cpuName) });
  const loaded = files.map((file) => {
    const outcome = target.loadExtension({ name: basename(file, '.llext'), bytes: readFileSync(examplePath(file)) });
    if (!outcome.loaded) throw new Error(`${file}: ${outcome.message}`);
    return outcome;
  });
  const entry = loaded[loaded.length - 1].extension.expTab.symbols.find(({ name }) => name === 'entry');
  if (entry === undefined) throw new Error(`${files.join(', ')}: no entry`);
  const { machine } = target;
  let first = true;
  while (machine.instructionCount < instructions) {
    target.prepareCall(entry.address, [], first ? target.bringUpCalls() : []);
    first = false;
    // An endless one is paused.
    const timer = setTimeout(() => target.pause(), 2000);
    const stop = await target.resume({ kind: 'continue' });
    clearTimeout(timer);
    if (stop.reason === 'pause') break;
    if (stop.reason !== 'exited') throw new Error(`${files.join(', ')}: stopped, ${stop.reason}`);
  }
  const { translated = 0, interpreted = 1 } = machine.translation ?? {};
  return (100 * translated) / (translated + interpreted);
}

export async function exampleRows(quick: boolean): Promise<SessionRow[]> {
  const instructions = quick ? 2_000_000 : 10_000_000;
  const rows: SessionRow[] = [];
  for (const { files, cpu } of examples) {
    const value = await shareOf(files, cpu, instructions);
    const name = `example ${files[files.length - 1]}: in WASM, of ${instructions / 1e6} M`;
    rows.push({ kind: 'session', name, value, unit: '%', measurements: 1 });
  }
  return rows;
}
