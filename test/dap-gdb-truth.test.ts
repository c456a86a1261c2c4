/**
 * Debugging by the protocol equals gdb's: the recorded sessions of test/gdb-truth are repeated through the adapter, and
 * every stop must show the same stack, arguments and locals. "optimized out" only where gdb says so.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { FLASH_BASE, FLASH_SIZE, STACK_BASE, STACK_TOP } from '../lib/kernel/memory-map';
import type { ExtensionsResponse } from '../lib/protocol';
import { AdapterClient, projectRoot } from './support/dap-client';

type TruthFrame = readonly [name: string, file: string, line: number, kind: string];
type TruthVariable = readonly [name: string, line: number, type: string, value: string];

interface TruthStop {
  readonly command?: string;
  readonly pc: string;
  readonly stack: number;
  readonly args?: readonly number[];
  readonly locals?: readonly number[];
  readonly returned?: boolean;
  readonly error?: string;
}

interface Truth {
  readonly argument: number;
  readonly result: number;
  readonly printk: readonly string[];
  readonly step: { readonly stops: readonly TruthStop[] };
  readonly next: { readonly stops: readonly TruthStop[] };
  readonly mixed: { readonly stops: readonly TruthStop[] };
  readonly finish: { readonly stops: readonly TruthStop[] };
  readonly pool: {
    readonly frames: readonly TruthFrame[];
    readonly stacks: readonly (readonly number[])[];
    readonly variables: readonly TruthVariable[];
  };
}

type RunName = 'step' | 'next' | 'mixed' | 'finish';

const requests: Readonly<Record<string, 'stepIn' | 'next' | 'stepOut'>> = {
  step: 'stepIn',
  next: 'next',
  finish: 'stepOut',
};

/** Addresses as the sessions write them. */
class Places {
  private constructor(private readonly sections: readonly { name: string; start: number; size: number }[]) {}

  static async of(adapter: AdapterClient): Promise<Places> {
    const { extensions } = await adapter.request<ExtensionsResponse>('llext/extensions');
    const placed = extensions.flatMap(({ regions }) => regions.flatMap(({ sections }) => sections));
    return new Places(placed.map(({ name, address, size }) => ({ name, start: Number(address), size })));
  }

  place(address: number): string {
    const found = this.sections.find(({ start, size }) => address >= start && address < start + size);
    if (found !== undefined) return `${found.name}+0x${(address - found.start).toString(16)}`;
    if (address >= STACK_BASE && address < STACK_TOP) return `stack-0x${(STACK_TOP - address).toString(16)}`;
    if (address >= FLASH_BASE && address < FLASH_BASE + FLASH_SIZE) return 'host';
    return `0x${address.toString(16)}`;
  }

  text(value: string): string {
    return value.replace(/0x[0-9a-f]+/g, (address) => {
      const place = this.place(Number(address));
      return place.startsWith('0x') ? place : `{${place}}`;
    });
  }
}

function shownFrame(frame: DebugProtocol.StackFrame): TruthFrame {
  const kind = /\[(inlined|tail call)\]$/.exec(frame.name)?.[1] ?? '';
  const kinds: Record<string, string> = { inlined: 'inline', 'tail call': 'tailcall', '': '' };
  return [frame.name.replace(/ \[.*\]$/, ''), frame.source?.name ?? '', frame.line, kinds[kind]];
}

async function checkStop(
  adapter: AdapterClient,
  places: Places,
  truth: Truth,
  stop: TruthStop,
  where: string,
): Promise<void> {
  const { pool } = truth;
  const frames = (await adapter.stack()).filter(({ presentationHint }) => presentationHint !== 'subtle');
  const expected = pool.stacks[stop.stack].map((index) => pool.frames[index]);
  assert.deepEqual(frames.map(shownFrame), expected, `stack at ${where}`);
  assert.equal(places.place(Number(frames[0].instructionPointerReference)), stop.pc, `pc at ${where}`);
  if (stop.args === undefined || stop.locals === undefined) return;
  // A variable that gdb lists twice is one.
  const wanted = [...new Set([...stop.args, ...stop.locals])].map((index) => pool.variables[index]);
  const { scopes } = (await adapter.client.scopesRequest({ frameId: frames[0].id })).body;
  const locals = scopes.find(({ presentationHint }) => presentationHint === 'locals');
  const shown = locals === undefined ? [] : await adapter.variables(locals.variablesReference);
  const names = shown.map(({ name }) => name.replace(/ \(.*\)$/, ''));
  if (where.startsWith('inlines')) return checkInlined(places, shown, names, wanted, where);
  assert.deepEqual(
    names,
    wanted.map(([name]) => name),
    `variables at ${where}`,
  );
  wanted.forEach(([name, line, type, value], index) => {
    assert.equal(shown[index].type, type, `type of ${name} at ${where}`);
    if (!value.includes('<unstable>') && !isUnset(stop, index, line, expected[0], where))
      assert.equal(places.text(shown[index].value), value, `${name} at ${where}`);
  });
}

/** Every variable that gdb lists is listed; its value is one of gdb's, or one where gdb has none. */
function checkInlined(
  places: Places,
  shown: readonly DebugProtocol.Variable[],
  names: readonly string[],
  wanted: readonly TruthVariable[],
  where: string,
): void {
  for (const [name, line] of wanted) {
    const copies = wanted.filter((other) => other[0] === name && other[1] === line).map((other) => other[3]);
    const index = names.indexOf(name);
    assert.ok(index >= 0, `${name} at ${where}`);
    const value = places.text(shown[index].value);
    const fits = copies.some((copy) => copy === value || copy === '<optimized out>' || copy.includes('<unstable>'));
    const isHidden = wanted.some((other) => other[0] === name && other[1] !== line);
    assert.ok(fits || isHidden, `${name} at ${where} is ${value}, not ${copies.join(' or ')}`);
  }
}

/**
 * Without optimization, a local at the line of its own declaration has not been set yet: it holds what a call before
 * left on the stack, and gdb's board had a printk that used the stack while the base image's does not.
 */
function isUnset({ args = [] }: TruthStop, index: number, line: number, frame: TruthFrame, where: string): boolean {
  return where.includes('-O0') && index >= args.length && line === frame[2];
}

async function replay(name: string, run: RunName, folder: string): Promise<number> {
  const truth = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Truth;
  const { stops } = truth[run];
  const adapter = new AdapterClient();
  try {
    await adapter.launchToStop({ program: join(folder, `${name}.elf`), args: [truth.argument], stopOnEntry: true });
    const places = await Places.of(adapter);
    for (const [index, stop] of stops.entries()) {
      const command = stop.command ?? run;
      if (index > 0) await adapter.run(requests[command]);
      // The outcome of a finish whose value could not be read was not recorded.
      if (stop.error === undefined)
        await checkStop(adapter, places, truth, stop, `${name} ${run} ${index} (${command})`);
    }
    await finish(adapter, truth, stops.at(-1)?.returned === true ? (requests[run] ?? 'next') : 'continue');
    return stops.length;
  } finally {
    await adapter.close();
  }
}

async function finish(adapter: AdapterClient, truth: Truth, request: string): Promise<void> {
  await adapter.runToEnd(request);
  const unsigned = (truth.result >>> 0).toString(16).padStart(8, '0');
  assert.match(
    adapter.output('console'),
    new RegExp(`returned ${truth.result} \\(0x${unsigned}\\) after \\d+ instructions`),
  );
  assert.equal(adapter.output('stdout'), truth.printk.join(''));
}

const ownFolder = join(projectRoot, 'test/gdb-truth');
const sharedFolder = join(projectRoot, '../shared/gdb-truth');
const runs: readonly RunName[] = ['step', 'next', 'mixed', 'finish'];

describe('gdb-truth through DAP', () => {
  for (const name of ['shapes.m3-O0', 'shapes.m3-Os', 'deep.m3-O0', 'deep.m3-Os']) {
    for (const run of runs) it(`${name} ${run}`, async () => void (await replay(name, run, ownFolder)));
  }
});

/** Inlined calls; there, of the copies of a variable that GCC and clang describe, gdb does not always take the one with a value. */
const inlined = ['inlines.m3-O0', 'inlines.m3-Og', 'inlines.m3-Os', 'inlines.m3-O2'];

describe('more of gdb-truth through DAP', { skip: !existsSync(sharedFolder) }, () => {
  for (const name of [...inlined, 'shapes.m3-O2', 'deep.m3-O2', 'deep.m0p-O2']) {
    for (const run of runs) it(`${name} ${run}`, async () => void (await replay(name, run, sharedFolder)));
  }
});
