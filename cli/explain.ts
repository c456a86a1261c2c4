/**
 * `llext explain FILE...`: why memory looks as it does after the load: every relocation with its formula in numbers, the bytes
 * before and after and the source line, or with --timeline the steps of the load (lib/explain).
 */
import { ElfFile } from '../lib/elf/elf-file';
import { errnoName, FormatError } from '../lib/errors';
import { sourcePathFrom } from '../lib/check/report-place';
import { explainFiles, fitsBase } from '../lib/explain/explain';
import type { ExplainedRelocation, FileExplanation } from '../lib/explain/explain';
import type { TimelineEntry, TimelineStep } from '../lib/explain/timeline';
import { explanationJson } from './explain-json';
import { loadOptions, loadOptionsHelp, readLoadInput, readLoadOptions } from './load-options';
import type { CommandOutput } from './output';
import { parseArguments } from './parse-arguments';
import { DamagedFileError, UsageError } from './usage-error';

export const explainHelp = `usage: llext explain FILE... [options]

Loads the files in this order on scratch memory and explains every relocation: type, symbol, formula with its numbers,
range and margin, bytes before and after, source line. Letters are the ABI's: S symbol, A addend, P place, B load bias,
V what the place held, T 1 for Thumb code. Without a base image for the files' machine every import is provided nearby.

  --section NAME       relocations of this section only
  --timeline           the steps of the load instead, with allocations, placed sections and messages
${loadOptionsHelp}  --json               an array: {file, name, ret, refusal, assumed, relocations: [{section, offset, type, symbol, S, A, P, T,
                       B, V, formula, numbers, X, shift, field, min, max, align, margin, before, after, ret, quirk, assumed,
                       inside, source: {file, line}}], timeline: [{step, what, entries}]}; addresses are 0x strings
  --help

exit status: 0 all loaded, 1 one was refused or is damaged, 2 wrong usage or an unreadable file
`;

export async function explain(args: string[], io: CommandOutput): Promise<number> {
  try {
    const { values, positionals } = readArguments(args);
    if (values.help === true) {
      io.stdout.write(explainHelp);
      return 0;
    }
    if (positionals.length === 0) throw new UsageError('no file is given');
    const inputs = await Promise.all(positionals.map(readLoadInput));
    for (const { file, bytes } of inputs) requireElf(file, bytes);
    const { base, ...options } = await readLoadOptions(values, inputs);
    const isWanted =
      values.base !== undefined || (base !== undefined && inputs.every(({ bytes }) => fitsBase(bytes, base)));
    const files = explainFiles(inputs, { ...options, base: isWanted ? base : undefined }).map((file) =>
      onlySection(file, values.section),
    );
    if (values.json === true) io.stdout.write(`${JSON.stringify(files.map(explanationJson), undefined, 2)}\n`);
    else
      for (const file of files) io.stdout.write(values.timeline === true ? timelineText(file) : relocationsText(file));
    return files.some(({ ret }) => ret < 0) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof FormatError)) throw error;
    io.stderr.write(`llext explain: ${error.message}\n`);
    return error instanceof UsageError ? error.exitCode : 1;
  }
}

/** The message of a file that is none names it. */
function requireElf(file: string, bytes: Uint8Array): void {
  try {
    ElfFile.parse(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new DamagedFileError(file, error);
  }
}

function readArguments(args: string[]) {
  return parseArguments({
    args,
    allowPositionals: true,
    options: {
      ...loadOptions,
      section: { type: 'string' },
      timeline: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function onlySection(file: FileExplanation, section: string | undefined): FileExplanation {
  if (section === undefined) return file;
  const relocations = file.relocations.filter((relocation) => relocation.section === section);
  const names = [...new Set(file.relocations.map((relocation) => relocation.section))];
  if (relocations.length > 0 || names.length === 0) return { ...file, relocations };
  throw new UsageError(`--section: ${file.file} has no relocations for '${section}', only for ${names.join(', ')}`);
}

function headText(file: FileExplanation): string {
  const { name, ret, refusal, config } = file;
  const version = `${config.profile ?? 'V41'}, ${config.arch} ${config.pointerSize * 8} bit`;
  if (ret > 0) return `${file.file}: '${name}' is loaded already, use count ${ret}\n`;
  if (ret === 0) return `${file.file}: '${name}', loaded (${version})\n`;
  return `${file.file}: '${name}', refused with -${errnoName(-ret) ?? -ret}: ${refusal ?? 'no message'} (${version})\n`;
}

function relocationsText(file: FileExplanation): string {
  if (file.relocations.length === 0) return `${headText(file)}  no relocations\n`;
  return headText(file) + file.relocations.map((relocation) => relocationText(file.file, relocation)).join('');
}

function relocationText(file: string, relocation: ExplainedRelocation): string {
  const { section, offset, symbol, explanation, ret, before, after } = relocation;
  const name = explanation?.name ?? relocation.typeName;
  const lines = [`  ${section}+0x${offset.toString(16)}  ${name}  ${symbol}${placeText(file, relocation)}`];
  if (explanation !== undefined) {
    const { formula, numbers, X, shift, field, min, max, margin, align, quirk, assumed } = explanation;
    if (formula !== '-')
      lines.push(`    X = ${formula} = ${numbers} = ${signedHex(X)}${shift > 0 ? `, X >> ${shift}` : ''}`);
    lines.push(`    ${field}${rangeText(min, max, align, margin)}`);
    if (quirk !== undefined) lines.push(`    Zephyr differs from the ABI: ${quirk}`);
    if (assumed) lines.push('    assumed: nobody has compared this type with Zephyr');
  }
  if (ret !== 0) lines.push(`    refused with -${errnoName(-ret) ?? -ret}`);
  lines.push(`    ${hexBytes(before)} -> ${hexBytes(after)}`);
  return lines.map((line) => `${line}\n`).join('');
}

function placeText(file: string, { inside, source }: ExplainedRelocation): string {
  const line = source === undefined ? '' : `${sourcePathFrom(file, source.file)}:${source.line}`;
  if (line === '') return inside === undefined ? '' : `  in ${inside}`;
  return inside === undefined ? `  ${line}` : `  in ${inside}, ${line}`;
}

function rangeText(
  min: bigint | undefined,
  max: bigint | undefined,
  align: number | undefined,
  margin: bigint | undefined,
): string {
  const multiple = align === undefined ? '' : `, a multiple of ${align}`;
  if (min === undefined && max === undefined) return `; range not tested${multiple}`;
  const limits = `${min === undefined ? '' : signedHex(min)} .. ${max === undefined ? '' : signedHex(max)}`;
  return `; range ${limits}${multiple}, margin ${margin === undefined ? '?' : signedHex(margin)}`;
}

function timelineText(file: FileExplanation): string {
  return headText(file) + file.timeline.map(stepText).join('');
}

function stepText({ step, what, entries }: TimelineStep): string {
  return `  ${step}: ${what}\n${entries.map((entry) => `    ${entryText(entry)}\n`).join('')}`;
}

function entryText(entry: TimelineEntry): string {
  switch (entry.kind) {
    case 'allocation': {
      const align = entry.align > 1 ? `, aligned to ${entry.align}` : '';
      const where = entry.address === 0n ? 'failed' : `at 0x${entry.address.toString(16)}`;
      return `allocate ${entry.size} bytes${align} for ${entry.purpose}: ${where}`;
    }
    case 'section':
      return `${entry.name} in ${entry.region} at 0x${entry.address.toString(16)}, ${entry.size} bytes`;
    case 'relocations':
      return `${entry.count} relocations in ${entry.section}${entry.refused > 0 ? `, ${entry.refused} refused` : ''}`;
    case 'out-of-bounds':
      return `out of bounds: ${entry.access}s ${entry.what}`;
    case 'message':
      return `${entry.level}: ${entry.text}`;
  }
}

function signedHex(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function hexBytes(bytes: Uint8Array): string {
  return bytes.length === 0 ? '-' : Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
