/** The programs of test/dap-programs, which do one thing for each value of their argument. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { AdapterClient } from './dap-client';
import { markerLine, projectRoot } from './fixtures';

export const controlsSource = join(projectRoot, 'test/dap-programs/controls.c');

export function controlsPath(variant: string): string {
  return join(projectRoot, `test/dap-programs/controls.${variant}.elf`);
}

/** The line that ends with the marker. */
export const controlsLine = (marker: string): number => markerLine(controlsSource, marker);

/** The text of a line. */
export function controlsText(line: number): string {
  return readFileSync(controlsSource, 'utf8').split('\n')[line - 1];
}

export const atMarker = (marker: string, options: Partial<DebugProtocol.SourceBreakpoint> = {}) => [
  { path: controlsSource, breakpoints: [{ line: controlsLine(marker), ...options }] },
];

/** The newest state that an event told of a breakpoint. */
export function breakpointState(adapter: AdapterClient, id: number | undefined): DebugProtocol.Breakpoint | undefined {
  return adapter.events
    .filter((event): event is DebugProtocol.BreakpointEvent => event.event === 'breakpoint')
    .map((event) => event.body.breakpoint)
    .findLast((breakpoint) => breakpoint.id === id);
}

/** Initializes, launches with what `configure` sends in between, and waits for the first stop or the end. */
export async function launchConfigured(
  adapter: AdapterClient,
  args: Readonly<Record<string, unknown>>,
  configure: () => Promise<unknown>,
): Promise<'stopped' | 'terminated'> {
  await adapter.client.initializeRequest({ adapterID: 'llext', pathFormat: 'path' });
  const launched = adapter.client.launchRequest(args as DebugProtocol.LaunchRequestArguments);
  launched.catch(() => undefined);
  await configure();
  const first = Promise.race([
    adapter.next('stopped').then(() => 'stopped' as const),
    adapter.next('terminated').then(() => 'terminated' as const),
  ]);
  await adapter.client.configurationDoneRequest();
  await launched;
  return first;
}
