/** The extension's output channel. What is expected (an ELF that is none, a folder that vanished) goes here, not into popups. */
import * as vscode from 'vscode';

let channel: vscode.LogOutputChannel | undefined;

export function openLog(): vscode.LogOutputChannel {
  channel ??= vscode.window.createOutputChannel('LLEXT', { log: true });
  return channel;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
