/** The overview of an extension ELF as HTML without scripts; its buttons are command links. Pure, for tests. */
import type { ExtensionDescription } from '../lib/protocol';
import { demangle } from '../lib/program/demangle';
import { regionMeaning } from './region-meaning';
import type { ImportResolution } from './tree-node';

export interface Overview {
  readonly description: ExtensionDescription;
  readonly fileName: string;
  /** 'ELF32, little-endian, ARM, relocatable' and the like. */
  readonly facts: readonly string[];
  readonly imports: readonly ImportResolution[];
  /** Argument of the commands. */
  readonly uri: string;
  readonly styleUri: string;
  readonly cspSource: string;
}

export function overviewHtml(overview: Overview): string {
  const { description, fileName, facts, uri, styleUri, cspSource } = overview;
  const problem =
    description.problem === undefined ? '' : `<p class="problem" role="alert">${escape(description.problem)}</p>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${cspSource}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escape(styleUri)}">
<title>${escape(fileName)}</title>
</head>
<body>
<h1>${escape(fileName)}</h1>
<div class="facts">${facts.map(escape).join(' · ')}</div>
<div class="actions">
<a href="${commandLink('llext.debugFile', uri)}">Debug This LLEXT</a>
<a href="${commandLink('llext.showDisassembly', uri)}">Show Disassembly</a>
</div>
${problem}
${regionsTable(description)}
${exportsTable(description)}
${importsTable(overview.imports)}
</body>
</html>`;
}

function regionsTable({ regions }: ExtensionDescription): string {
  const rows = regions.map(({ name, size, sections }) => {
    const parts = sections.map((section) => `${escape(section.name)} (${section.size})`).join(', ');
    return row([name, 'code'], [String(size), 'size'], [parts, 'code'], [regionMeaning[name] ?? '', 'meaning']);
  });
  return table('Regions', ['Region', 'Bytes', 'Sections', 'Holds'], rows, 'The loader makes no regions of this file.');
}

function exportsTable({ exports }: ExtensionDescription): string {
  const rows = exports.map(({ name, type, section, size }) =>
    row(
      [symbolHtml(name, type), 'code'],
      [escape(section ?? ''), 'code'],
      [size === undefined ? '' : String(size), 'size'],
    ),
  );
  return table(
    'Exported Symbols',
    ['Symbol', 'Place', 'Bytes'],
    rows,
    'Nothing is exported: there is no function to call.',
  );
}

function importsTable(imports: readonly ImportResolution[]): string {
  const rows = imports.map(({ name, by, extension, signature }) => {
    const provider = by === 'base-image' ? 'base image' : by === 'extension' ? escape(extension ?? '') : 'nothing';
    return row([symbolHtml(name, signature), 'code'], [provider, by === 'nothing' ? 'missing' : '']);
  });
  return table('Imported Symbols', ['Symbol', 'Provided by'], rows, 'Nothing is imported.');
}

/** A mangled name is told when the pointer rests on it. */
function symbolHtml(name: string, declaration: string | undefined): string {
  const shown = escape(declaration ?? demangle(name));
  return demangle(name) === name ? shown : `<span title="${escape(name)}">${shown}</span>`;
}

function table(title: string, heads: readonly string[], rows: readonly string[], empty: string): string {
  if (rows.length === 0) return `<h2>${title}</h2>\n<p class="empty">${empty}</p>`;
  const head = heads.map((text) => `<th scope="col"${text === 'Bytes' ? ' class="size"' : ''}>${text}</th>`).join('');
  return `<h2>${title}</h2>\n<table><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function row(...cells: readonly (readonly [html: string, style: string])[]): string {
  return `<tr>${cells.map(([html, style]) => `<td${style === '' ? '' : ` class="${style}"`}>${html}</td>`).join('')}</tr>`;
}

function commandLink(command: string, argument: string): string {
  return `command:${command}?${encodeURIComponent(JSON.stringify([argument]))}`;
}

function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
