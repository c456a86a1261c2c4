/** What debug information says of the program of split-build.ts, to be compared with that of another build of it. */
import assert from 'node:assert/strict';
import type { LocationDescription, Scope } from '../../lib/dwarf/model';
import type { Program } from '../../lib/program/program';

function placesOf(location: LocationDescription | undefined): string {
  if (location?.kind !== 'list') return location?.kind ?? 'none';
  return location.entries.map(({ range }) => `${range.start}-${range.end}`).join(',');
}

function scopeText({ kind, ranges, variables, children, inline }: Scope): unknown {
  return [
    kind,
    inline?.name,
    inline?.call?.line,
    ranges.map(({ start, end }) => `${start}-${end}`),
    variables.map(({ name, type, location, declaration, isParameter }) =>
      [name, type.displayName, type.byteSize, placesOf(location), declaration?.line, isParameter].join(' '),
    ),
    children.map(scopeText),
  ];
}

/** All that the other build must have too. */
export function describeProgram({ debug, lines, warnings }: Program): unknown {
  assert.ok(debug);
  assert.deepEqual([...debug.problems, ...warnings], []);
  const point = debug.typeNamed('struct', 'point');
  assert.ok(point?.kind === 'struct');
  const macros = debug.units.map((unit) => debug.macrosAt(unit, undefined)?.get('LIMIT') !== undefined);
  return {
    functions: debug.functions().map((one) => [one.name, one.entryPc, one.declaration?.line, scopeText(one.scope)]),
    calls: debug.functions().map(({ callSites }) => callSites.map(({ returnPc }) => returnPc)),
    globals: debug.globals().map(({ name, type }) => `${name} ${type.displayName} ${type.byteSize}`),
    members: point.members.map(({ name, byteOffset, bitSize, type }) => [name, byteOffset, bitSize, type.displayName]),
    color: debug.enumeratorNamed('RED')?.enumerator.value,
    other: debug.typeNamed('struct', 'other')?.byteSize,
    found: debug.functionsNamed('second').map(({ entryPc }) => entryPc),
    units: debug.units.flatMap(({ name, producer }) => (name === undefined ? [] : [[name, producer?.slice(0, 5)]])),
    // After declarations were read, which may be in type units and partial units that share the line table.
    blocks: debug.functions().map(({ entryPc }) => {
      const block = lines?.blockAt(entryPc);
      return [block?.start, block?.end, block?.line, block?.column];
    }),
    macros: macros.includes(true),
    rows: debug.unitLines().flatMap(({ table }) => table.rows.map(({ address, line }) => `${address} ${line}`)),
  };
}
