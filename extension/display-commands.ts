/** The base in which values are shown: VS Code has no command for it, and sends no format to debug adapters. */
import * as vscode from 'vscode';
import { requireSession } from './time-commands';
import type { DisplayFormat, DisplayFormatResponse } from '../lib/protocol';

const formats: readonly { readonly format: DisplayFormat; readonly label: string; readonly description: string }[] = [
  { format: 'natural', label: 'Natural', description: 'as the types say' },
  { format: 'hex', label: 'Hexadecimal', description: '0x2a' },
  { format: 'decimal', label: 'Decimal', description: '42, characters and enumerators too' },
  { format: 'binary', label: 'Binary', description: '0b101010' },
];

async function chooseDisplayFormat(): Promise<void> {
  const session = requireSession();
  const now = (await session.customRequest('llext/displayFormat', {})) as DisplayFormatResponse;
  const items = formats.map((one) => ({ ...one, picked: one.format === now.format }));
  const title = 'Show Numbers in Variables, Watches and Hovers';
  const current = formats.find(({ format }) => format === now.format)?.label ?? '';
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: `now: ${current}` });
  if (chosen !== undefined) await session.customRequest('llext/displayFormat', { format: chosen.format });
}

export const displayCommands: Readonly<Record<string, (argument: never) => unknown>> = {
  'llext.displayFormat': chooseDisplayFormat,
};
