/**
 * The protocol as a whole: sessions in which every request, event and capability of DAP 1.71 is really sent and received, on each way to reach
 * the adapter; then the published schema is walked, and what did not pass needs a reason here. A request that a new schema
 * brings, or one that got lost, fails. The matrix of what debuggers offer is walked likewise, each row with its tests in depth.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AdapterClient, projectRoot } from './support/dap-client';
import { connections, type Transport } from './support/dap-connections';
import { absentProperties, doesNotApply, matrix, onlyAtServers } from './support/dap-matrix';
import { definitionNamed, definitionNames } from './support/dap-schema';
import { leftAndFound, matrixSessions } from './support/dap-sessions';
import { propertiesOf, Traffic } from './support/dap-traffic';
import { requireTool } from './support/tools';

const lower = (name: string): string => name.replace(/^./, (first) => first.toLowerCase());

/** 'setBreakpoints' of SetBreakpointsRequest */
const namesOf = (suffix: 'Request' | 'Event'): string[] =>
  definitionNames.flatMap((name) =>
    name.endsWith(suffix) && name !== suffix ? [lower(name.slice(0, -suffix.length))] : [],
  );

async function play(where: Transport): Promise<Traffic> {
  const traffic = new Traffic();
  for (const session of matrixSessions) {
    const adapter = new AdapterClient(where);
    adapter.onMessage((message) => traffic.note(message));
    try {
      await session(adapter);
    } catch (error) {
      await adapter.leave().catch(() => undefined);
      throw error;
    }
    await adapter.close();
  }
  if (where === 'tcp') await leftAndFound((adapter) => adapter.onMessage((message) => traffic.note(message)));
  return traffic;
}

const walks: readonly (readonly [
  what: string,
  inSchema: () => readonly string[],
  passed: (traffic: Traffic) => Iterable<string>,
  always: Readonly<Record<string, string>>,
  elsewhere: Readonly<Record<string, string>>,
])[] = [
  ['request', () => namesOf('Request'), ({ requests }) => requests, doesNotApply.requests, onlyAtServers.requests],
  ['event', () => namesOf('Event'), ({ events }) => events, doesNotApply.events, onlyAtServers.events],
  [
    'capability',
    () => Object.keys(definitionNamed('Capabilities').properties ?? {}),
    ({ capabilities }) => [...capabilities].flatMap(([name, value]) => (value === false ? [] : [name])),
    doesNotApply.capabilities,
    onlyAtServers.capabilities,
  ],
  [
    'property of a message',
    () => {
      const all = new Set<string>();
      for (const name of definitionNames) if (/(Response|Event)$/.test(name)) propertiesOf(name, all);
      return [...all].filter((name) => !/^(Capabilities|Response|Event|ProtocolMessage)\./.test(name));
    },
    ({ properties }) => properties,
    absentProperties,
    {},
  ],
];

describe('the protocol', () => {
  // A worker thread of Node is told from the browser's by the transcripts only.
  for (const where of (Object.keys(connections) as Transport[]).filter((one) => one !== 'worker')) {
    it(`every request, event, capability and property has passed on ${where}, or says why it does not apply`, async (t) => {
      if (where === 'browser' && requireTool(t, 'chromium') === undefined) return;
      const traffic = await play(where);
      const differences = walks.flatMap(([what, inSchema, passed, always, elsewhere]) => {
        const absent = where === 'tcp' ? always : { ...always, ...elsewhere };
        const seen = new Set(passed(traffic));
        const known = inSchema();
        return [
          ...known
            .filter((name) => !seen.has(name) && !Object.hasOwn(absent, name))
            .map((name) => `${what} ${name} has not passed`),
          ...Object.keys(absent)
            .filter((name) => seen.has(name))
            .map((name) => `${what} ${name} passes, and has a reason not to`),
          ...Object.keys(absent)
            .filter((name) => !known.includes(name))
            .map((name) => `${what} ${name} is not in the schema`),
        ];
      });
      assert.deepEqual(differences, []);
    });
  }
});

describe('the matrix of debuggers', () => {
  const texts = new Map<string, string>();
  for (const { row, tests } of matrix) {
    it(`${row}: its tests are there`, () => {
      for (const [file, title] of tests) {
        const text = texts.get(file) ?? readFileSync(join(projectRoot, 'test', file), 'utf8');
        texts.set(file, text);
        assert.ok(text.includes(title), `${file} has no test '${title}'`);
      }
    });
  }
  it('has 52 rows, of which one is not built: clients ignore it', () => {
    assert.equal(matrix.length, 52);
    assert.deepEqual(
      matrix.filter(({ tests }) => tests.length === 0).map(({ row }) => row),
      ['supportsExceptionOptions (legacy tree)'],
    );
  });
});
