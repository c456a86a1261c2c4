/**
 * Everything that appears in the Debug Console: what the extension prints, with the source line that printed it, and
 * what the debugger itself has to say.
 */
import { OutputEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { SourcePosition } from '../lib/dwarf/model';
import { clientSource } from './client-source';
import type { LocationReferences } from './locations';

export type OutputCategory = 'console' | 'important' | 'stdout' | 'stderr';

/** A line of a file that the client can open. */
export interface ClientPosition {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

interface HeldOutput {
  readonly category: OutputCategory;
  readonly text: string;
  readonly position: SourcePosition | undefined;
}

/** Of what is held for a client that may come, in characters; what is printed in small parts costs more than its text. */
const capacity = 1 << 20;
const partCost = 64;

export class SessionOutput {
  private held: HeldOutput[] | undefined;
  private heldSize = 0;

  constructor(
    private readonly send: (event: DebugProtocol.Event) => void,
    private readonly toClient: (position: SourcePosition) => ClientPosition | undefined,
    private readonly locations: LocationReferences,
  ) {}

  /** Nobody reads it: it is kept for who will. */
  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    this.heldSize = 0;
    for (const { category, text, position } of held) this.write(category, text, position);
  }

  /** No more can be held: as with a pipe, who prints has to wait until somebody reads. */
  get isFull(): boolean {
    return this.heldSize > capacity;
  }

  /** One or more whole lines, or a part of one as the extension printed it. */
  write(category: OutputCategory, text: string, position?: SourcePosition): void {
    if (this.held !== undefined) {
      this.held.push({ category, text, position });
      this.heldSize += text.length + partCost;
      return;
    }
    const event: DebugProtocol.OutputEvent = new OutputEvent(text, category);
    const place = position && this.toClient(position);
    if (place !== undefined) {
      event.body.source = clientSource(place.path);
      event.body.line = place.line;
      const reference = this.locations.of(position);
      if (reference !== undefined) event.body.locationReference = reference;
      if (place.column > 0) event.body.column = place.column;
    }
    this.send(event);
  }

  line(category: OutputCategory, text: string, position?: SourcePosition): void {
    this.write(category, `${text}\n`, position);
  }
}
