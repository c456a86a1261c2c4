/**
 * The debug sessions of type llext: which one the views show, what is loaded in it, and when it stopped. The adapter
 * sends event 'llext/changed' at each load and unload; a stop is seen as a new active stack item.
 */
import * as vscode from 'vscode';
import type {
  CheckpointDescription,
  CheckpointsResponse,
  ExtensionsResponse,
  SymbolArguments,
  SymbolResponse,
} from '../lib/protocol';
import { debugType } from './debug-configuration';
import { messageOf, openLog } from './log';

export interface MemoryContents {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly unreadable: number;
}

export class Sessions implements vscode.Disposable {
  private readonly running = new Map<string, vscode.DebugSession>();
  private readonly loaded = new Map<string, ExtensionsResponse>();
  private readonly checkpoints = new Map<string, readonly CheckpointDescription[]>();
  private readonly loadedChanged = new vscode.EventEmitter<void>();
  private readonly stopped = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];

  /** A session began or ended, another one is in front, or what is loaded changed. */
  readonly onDidChangeLoaded = this.loadedChanged.event;
  /** Registers and memory may have other values now. */
  readonly onDidStop = this.stopped.event;

  constructor() {
    this.subscriptions = [
      vscode.debug.onDidStartDebugSession((session) => this.started(session)),
      vscode.debug.onDidTerminateDebugSession((session) => this.ended(session)),
      vscode.debug.onDidChangeActiveDebugSession(() => this.loadedChanged.fire()),
      vscode.debug.onDidChangeActiveStackItem(() => this.stopped.fire()),
      vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => this.received(event)),
    ];
  }

  /** The llext session in front, or else the newest. */
  get current(): vscode.DebugSession | undefined {
    const active = vscode.debug.activeDebugSession;
    if (active?.type === debugType && this.running.has(active.id)) return active;
    return [...this.running.values()].at(-1);
  }

  get(id: string): vscode.DebugSession | undefined {
    return this.running.get(id);
  }

  /** What is loaded in the current session; undefined without one, or before its loader ran. */
  loadedNow(): ExtensionsResponse | undefined {
    const session = this.current;
    return session && this.loaded.get(session.id);
  }

  /** The current session's; none for a session that is not there. */
  checkpointsNow(): readonly CheckpointDescription[] {
    const session = this.current;
    return (session && this.checkpoints.get(session.id)) ?? [];
  }

  async symbol(request: SymbolArguments): Promise<SymbolResponse | undefined> {
    const session = this.current;
    if (session === undefined) return undefined;
    try {
      return (await session.customRequest('llext/symbol', request)) as SymbolResponse;
    } catch (error) {
      openLog().debug(`llext/symbol ${request.name}: ${messageOf(error)}`);
      return undefined;
    }
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.loadedChanged.dispose();
    this.stopped.dispose();
  }

  private started(session: vscode.DebugSession): void {
    if (session.type !== debugType) return;
    this.running.set(session.id, session);
    this.loadedChanged.fire();
  }

  private ended(session: vscode.DebugSession): void {
    if (!this.running.delete(session.id)) return;
    this.loaded.delete(session.id);
    this.checkpoints.delete(session.id);
    this.loadedChanged.fire();
    this.stopped.fire();
  }

  /** The adapter loads while the session still starts, so the event may come before onDidStartDebugSession. */
  private received(event: vscode.DebugSessionCustomEvent): void {
    if (event.session.type !== debugType) return;
    if (event.event === 'llext/checkpoints') {
      this.checkpoints.set(event.session.id, (event.body as CheckpointsResponse).checkpoints);
      this.loadedChanged.fire();
    }
    if (event.event !== 'llext/changed') return;
    this.running.set(event.session.id, event.session);
    this.loaded.set(event.session.id, event.body as ExtensionsResponse);
    // A restart makes a new machine.
    this.checkpoints.delete(event.session.id);
    this.loadedChanged.fire();
  }
}

/** readMemory of the protocol: what could be read, and how much after it could not. */
export async function readMemory(
  session: vscode.DebugSession,
  address: bigint,
  count: number,
): Promise<MemoryContents> {
  const reply = (await session.customRequest('readMemory', {
    memoryReference: '0x' + address.toString(16),
    offset: 0,
    count,
  })) as { address: string; data?: string; unreadableBytes?: number } | undefined;
  const text = atob(reply?.data ?? '');
  return {
    address: reply === undefined ? address : BigInt(reply.address),
    bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)),
    unreadable: reply?.unreadableBytes ?? 0,
  };
}
