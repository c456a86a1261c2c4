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

export class SessionOutput {
  constructor(
    private readonly send: (event: DebugProtocol.Event) => void,
    private readonly toClient: (position: SourcePosition) => ClientPosition | undefined,
    private readonly locations: LocationReferences,
  ) {}

  /** One or more whole lines, or a part of one as the extension printed it. */
  write(category: OutputCategory, text: string, position?: SourcePosition): void {
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
