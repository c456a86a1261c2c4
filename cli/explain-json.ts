/** `llext explain --json`: explainHelp documents the shape. */
import { sourcePathFrom } from '../lib/check/report-place';
import type { ExplainedRelocation, FileExplanation } from '../lib/explain/explain';
import type { TimelineEntry } from '../lib/explain/timeline';
import type { JsonObject } from './load-json';

export function explanationJson(file: FileExplanation): JsonObject {
  const { name, ret, refusal, relocations, timeline, assumed } = file;
  return {
    file: file.file,
    name,
    ret,
    refusal,
    assumed,
    relocations: relocations.map((relocation) => relocationJson(file.file, relocation)),
    timeline: timeline.map(({ step, what, entries }) => ({ step, what, entries: entries.map(entryJson) })),
  };
}

function relocationJson(file: string, relocation: ExplainedRelocation): JsonObject {
  const { section, offset, symbol, typeName, before, after, ret, explanation, inside, source } = relocation;
  const { type, S, A, P, T, B, V, formula, numbers, X, shift, field, min, max, align, margin, quirk, assumed } =
    explanation ?? {};
  return {
    section,
    offset,
    type: { number: type, name: typeName },
    symbol,
    S: hexOf(S),
    A: hexOf(A),
    P: hexOf(P),
    T,
    B: hexOf(B),
    V: hexOf(V),
    formula,
    numbers,
    X: hexOf(X),
    shift,
    field,
    min: hexOf(min),
    max: hexOf(max),
    align,
    margin: hexOf(margin),
    before: hexBytes(before),
    after: hexBytes(after),
    ret,
    quirk,
    assumed,
    inside,
    source: source === undefined ? undefined : { file: sourcePathFrom(file, source.file), line: source.line },
  };
}

function entryJson(entry: TimelineEntry): JsonObject {
  return 'address' in entry ? { ...entry, address: hexOf(entry.address) } : { ...entry };
}

function hexOf(value: bigint | undefined): string | undefined {
  if (value === undefined) return undefined;
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
