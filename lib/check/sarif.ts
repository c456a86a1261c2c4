/**
 * A report as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format), which code hosts show beside the sources.
 * Every rule is listed, so that a result's ruleIndex does not depend on what was found.
 */
import type { CheckReport } from './check';
import type { Finding, FindingPlace, Severity, SourcePlace } from './finding';
import { sourcePathFrom } from './report-place';
import { findingCodes, findingRules, severityIn } from './rules';
import type { FindingCode } from './rules';

export interface SarifOptions {
  /** Version of this program. */
  readonly version: string;
}

const levels: Record<Severity, 'error' | 'warning' | 'note'> = { error: 'error', warning: 'warning', note: 'note' };

export function sarifLog(report: CheckReport, { version }: SarifOptions): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'llext check', version, rules: rules(report) } },
        columnKind: 'utf16CodeUnits',
        artifacts: report.files.map(({ file }) => ({ location: { uri: uriOf(file) }, roles: ['analysisTarget'] })),
        results: report.files.flatMap(({ file, findings }, index) =>
          findings.map((finding) => result(file, index, finding)),
        ),
      },
    ],
  };
}

function rules({ profile }: CheckReport): object[] {
  return findingCodes.map((code) => {
    const rule = findingRules[code];
    const severity = severityIn(rule, profile);
    const level = severity === 'by-trial' ? 'error' : severity === 'absent' ? 'none' : levels[severity];
    return {
      id: code,
      shortDescription: { text: rule.title },
      fullDescription: { text: rule.explanation },
      help: { text: `To do: ${rule.fix}.` },
      defaultConfiguration: { level },
      properties: { specification: rule.specification },
    };
  });
}

function result(file: string, artifact: number, finding: Finding<FindingCode>): object {
  const { code, severity, message, fix, related } = finding;
  return {
    ruleId: code,
    ruleIndex: findingCodes.indexOf(code),
    level: levels[severity],
    message: { text: `${message}. To do: ${fix}.` },
    analysisTarget: { uri: uriOf(file), index: artifact },
    locations: [location(file, finding)],
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((place, id) => ({
            id,
            ...location(file, place),
            message: { text: place.message },
          })),
        }),
  };
}

/** The source line where there is one, else the ELF; the section and symbol are logical locations. */
function location(file: string, { source, section, symbol, offset }: FindingPlace): object {
  const logical = [
    ...(symbol === undefined ? [] : [{ name: symbol, kind: 'function' }]),
    ...(section === undefined
      ? []
      : [{ name: offset === undefined ? section : `${section}+0x${offset.toString(16)}`, kind: 'module' }]),
  ];
  return {
    physicalLocation: source === undefined ? { artifactLocation: { uri: uriOf(file) } } : sourceLocation(file, source),
    ...(logical.length === 0 ? {} : { logicalLocations: logical }),
  };
}

function sourceLocation(elf: string, { file, line, column }: SourcePlace): object {
  const region = column > 0 ? { startLine: line, startColumn: column } : { startLine: line };
  return { artifactLocation: { uri: uriOf(sourcePathFrom(elf, file)) }, region };
}

/** RFC 3986: relative paths stay relative, for a tool that knows the repository's root. */
export function uriOf(path: string): string {
  const slashed = path.replaceAll('\\', '/');
  const encoded = slashed.split('/').map(encodeURIComponent).join('/');
  if (/^[A-Za-z]:\//.test(slashed)) return `file:///${encoded.replace('%3A', ':')}`;
  return slashed.startsWith('/') ? `file://${encoded}` : encoded;
}
