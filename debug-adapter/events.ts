/** Events that @vscode/debugadapter has no class for. */
import { Event } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { CheckpointsResponse, CoverageResponse, ExtensionsResponse } from '../lib/protocol';

export class ProcessEvent extends Event implements DebugProtocol.ProcessEvent {
  declare body: DebugProtocol.ProcessEvent['body'];

  constructor(name: string, startMethod: 'launch' | 'attach') {
    super('process', { name, isLocalProcess: true, startMethod, pointerSize: 32 });
  }
}

export class ExtensionsChangedEvent extends Event {
  declare body: ExtensionsResponse;

  constructor(body: ExtensionsResponse) {
    super('llext/changed', body);
  }
}

export class CheckpointsEvent extends Event {
  declare body: CheckpointsResponse;

  constructor(body: CheckpointsResponse) {
    super('llext/checkpoints', body);
  }
}

export class CoverageEvent extends Event {
  declare body: CoverageResponse;

  constructor(body: CoverageResponse) {
    super('llext/coverage', body);
  }
}
