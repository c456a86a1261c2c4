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
  readonly error?: string;
}

interface TruthStops {
  readonly stops: readonly TruthStop[];
  /** The next command leaves `entry`. */
  readonly returned?: boolean;
}

interface Truth {
  readonly argument: number;
  readonly result: number;
  readonly printk: readonly string[];
  readonly step: TruthStops;
  readonly next: TruthStops;
  readonly mixed: TruthStops;
  readonly finish: TruthStops;
  readonly pool: {
    readonly frames: readonly TruthFrame[];
    readonly stacks: readonly (readonly number[])[];
    readonly variables: readonly TruthVariable[];
  };
}

type RunName = 'step' | 'next' | 'mixed' | 'finish';

/** What differs from gdb, stop by stop, with the reason: test/dap-truth-differences.json. */
interface Difference {
  readonly case: string;
  readonly variable: string;
  /**
   * 'twice': gdb lists it twice. 'value': it is `shown` where gdb has another value. 'constant': it is `shown`
   * where gdb lists none. 'unset': the program has not set it, so no value is compared.
   */
  readonly kind: 'twice' | 'value' | 'constant' | 'unset';
  readonly shown?: string;
  readonly reason: string;
  readonly stops: Readonly<Partial<Record<RunName, readonly number[]>>>;
}

interface Where {
  readonly case: string;
  readonly run: RunName;
  readonly stop: number;
  readonly text: string;
}

const differences = JSON.parse(readFileSync(join(__dirname, 'dap-truth-differences.json'), 'utf8')) as Difference[];
/** `case run stop variable` of those that were met. */
const met = new Set<string>();

function isListed({ case: name, run, stop }: Where, kind: Difference['kind'], variable: string, shown?: string) {
  const found = differences.find((difference) => {
    const { stops } = difference;
    const isHere = difference.case === name && difference.kind === kind && difference.variable === variable;
    return isHere && difference.shown === shown && stops[run]?.includes(stop) === true;
  });
  if (found !== undefined) met.add(`${name} ${run} ${stop} ${variable} ${kind}`);
  return found !== undefined;
}

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
  where: Where,
): Promise<void> {
  const { pool } = truth;
  const frames = (await adapter.stack()).filter(({ presentationHint }) => presentationHint !== 'subtle');
  const expected = pool.stacks[stop.stack].map((index) => pool.frames[index]);
  assert.deepEqual(frames.map(shownFrame), expected, `stack at ${where.text}`);
  assert.equal(places.place(Number(frames[0].instructionPointerReference)), stop.pc, `pc at ${where.text}`);
  if (stop.args === undefined || stop.locals === undefined) return;
  const wanted = listedOnce(
    [...new Set([...stop.args, ...stop.locals])].map((index) => pool.variables[index]),
    where,
  );
  const { scopes } = (await adapter.client.scopesRequest({ frameId: frames[0].id })).body;
  const locals = scopes.find(({ presentationHint }) => presentationHint === 'locals');
  const shown = (locals === undefined ? [] : await adapter.variables(locals.variablesReference))
    .map((variable) => ({ ...variable, name: variable.name.replace(/ \(.*\)$/, '') }))
    .filter(({ name, value }) => !isListed(where, 'constant', name, value));
  assert.deepEqual(
    shown.map(({ name }) => name),
    wanted.map(({ name }) => name),
    `variables at ${where.text}`,
  );
  wanted.forEach(({ name, type, values }, index) => {
    assert.equal(shown[index].type, type, `type of ${name} at ${where.text}`);
    if (values.some((value) => value.includes('<unstable>'))) return;
    const value = places.text(shown[index].value);
    if (values.includes(value) || isListed(where, 'value', name, value) || isListed(where, 'unset', name)) return;
    assert.fail(`${name} at ${where.text} is ${value}, not ${values.join(' or ')}`);
  });
}

interface WantedVariable {
  readonly name: string;
  readonly line: number;
  readonly type: string;
  readonly values: string[];
}

/** gdb's variables; one that it lists twice is one, with both values. */
function listedOnce(variables: readonly TruthVariable[], where: Where): WantedVariable[] {
  const result: WantedVariable[] = [];
  for (const [name, line, type, value] of variables) {
    const known = result.find((other) => other.name === name && other.line === line);
    if (known === undefined) result.push({ name, line, type, values: [value] });
    else {
      assert.ok(isListed(where, 'twice', name), `gdb lists ${name} twice at ${where.text}`);
      known.values.push(value);
    }
  }
  return result;
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
        await checkStop(adapter, places, truth, stop, {
          case: name,
          run,
          stop: index,
          text: `${name} ${run} ${index} (${command})`,
        });
    }
    await finish(adapter, truth, truth[run].returned === true ? (requests[run] ?? 'next') : 'continue');
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

const own = [
  ...['shapes.m3-O0', 'shapes.m3-Os', 'deep.m3-O0', 'deep.m3-Os'],
  ...['shapes.rv32-O2', 'deep.rv32-Og-dwarf4', 'inlines.rv32-Os'],
  ...['calls2.m3-O2', 'paths.m3-O1', 'paths.m3-Os', 'adjoin.m3-Os', 'cold.m3-O2', 'calc.rv64-O2'],
];

const rv32 = ['O0', 'Og', 'Os', 'O2', 'Og-dwarf4', 'Os-g3dwarf4'];
const others = [
  ...['inlines.m3-O0', 'inlines.m3-Og', 'inlines.m3-Os', 'inlines.m3-O2', 'shapes.m3-O2', 'deep.m3-O2', 'deep.m0p-O2'],
  ...['shapes', 'deep', 'inlines'].flatMap((program) => rv32.map((variant) => `${program}.rv32-${variant}`)),
].filter((name) => !own.includes(name));

const hasShared = existsSync(sharedFolder);

describe('gdb-truth through DAP', () => {
  for (const name of own) {
    for (const run of runs) it(`${name} ${run}`, async () => void (await replay(name, run, ownFolder)));
  }
});

describe('more of gdb-truth through DAP', { skip: !hasShared }, () => {
  for (const name of others) {
    for (const run of runs) it(`${name} ${run}`, async () => void (await replay(name, run, sharedFolder)));
  }
});

it('every listed difference is one', () => {
  const ran = [...own, ...(hasShared ? others : [])];
  const listed = differences
    .filter((difference) => ran.includes(difference.case))
    .flatMap(({ case: name, variable, kind, stops }) =>
      runs.flatMap((run) => (stops[run] ?? []).map((stop) => `${name} ${run} ${stop} ${variable} ${kind}`)),
    );
  assert.deepEqual(listed.sort(), [...met].sort());
  assert.ok(differences.every(({ reason }) => reason.length > 40));
});
