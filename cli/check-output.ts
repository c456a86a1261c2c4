/**
 * What `llext check` prints: for people and problem matchers a line `FILE:LINE:COLUMN: severity: message [code]` as
 * compilers write it, or JSON whose shape checkHelp documents.
 */
import { isAbsolute, relative, resolve } from 'node:path';
import type { CheckReport, FileReport } from '../lib/check/check';
import { countBySeverity } from '../lib/check/check';
import type { FindingPlace } from '../lib/check/finding';
import { sourcePathFrom } from '../lib/check/report-place';
import { findingRules } from '../lib/check/rules';

/** As short as it can be said from here. */
function shown(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short.startsWith('..') || isAbsolute(short) || short === '' ? path : short;
}

function head(file: string, { source }: FindingPlace): string {
  if (source === undefined) return shown(file);
  const column = source.column > 0 ? `:${source.column}` : '';
  return `${shown(sourcePathFrom(file, source.file))}:${source.line}${column}`;
}

/** 'in .text+0x34 of hello.llext' where the head does not say it. */
function inside(file: string, { source, section, offset }: FindingPlace): string | undefined {
  if (section === undefined) return source === undefined ? undefined : `in ${shown(file)}`;
  const place = offset === undefined ? section : `${section}+0x${offset.toString(16)}`;
  return source === undefined ? `in ${place}` : `in ${place} of ${shown(file)}`;
}

export function reportText(report: CheckReport): string {
  return report.files.map((file) => fileText(file)).join('');
}

function fileText(report: FileReport): string {
  const { file, findings, leftOut, refusal, ret } = report;
  const lines: string[] = [];
  for (const finding of findings) {
    const { severity, message, code, fix, related } = finding;
    lines.push(`${head(file, finding)}: ${severity}: ${message} [${code}]`);
    const place = inside(file, finding);
    if (place !== undefined) lines.push(`    ${place}`);
    lines.push(`    to do: ${fix}`);
    for (const other of related) lines.push(`    ${head(file, other)}: ${other.message}`);
  }
  for (const { code, count } of leftOut) lines.push(`${shown(file)}: ${count} more of ${code} are not shown`);
  const counts = countBySeverity(findings);
  const total = (['error', 'warning', 'note'] as const)
    .filter((severity) => counts[severity] > 0)
    .map((severity) => `${counts[severity]} ${severity}${counts[severity] === 1 ? '' : 's'}`);
  const verdict =
    refusal !== undefined
      ? `llext_load refuses it: ${refusal}`
      : ret > 0
        ? `llext_load returns ${ret}: the name is taken`
        : 'llext_load takes it';
  lines.push(`${shown(file)}: ${[verdict, ...total].join(', ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

export function reportJson(report: CheckReport): object {
  const findings = report.files.flatMap((file) => file.findings);
  return {
    version: 1,
    profile: report.profile,
    summary: countBySeverity(findings),
    files: report.files.map((file) => ({
      file: file.file,
      name: file.name,
      ret: file.ret,
      refusal: file.refusal,
      assumed: file.assumed,
      findings: file.findings.map(({ code, severity, message, fix, related, ...place }) => ({
        code,
        severity,
        title: findingRules[code].title,
        message,
        ...placeJson(file.file, place),
        explanation: findingRules[code].explanation,
        fix,
        specification: findingRules[code].specification,
        related: related.map(({ message: text, ...other }) => ({ message: text, ...placeJson(file.file, other) })),
      })),
      left_out: file.leftOut,
    })),
  };
}

function placeJson(elf: string, { section, symbol, offset, source }: FindingPlace): object {
  return {
    section,
    symbol,
    offset: offset === undefined ? undefined : `0x${offset.toString(16)}`,
    source:
      source === undefined
        ? undefined
        : { file: sourcePathFrom(elf, source.file), line: source.line, column: source.column },
  };
}
