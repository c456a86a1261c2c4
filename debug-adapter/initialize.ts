/** The initialize request: what this adapter can do, and what the client expects. */
import { InitializedEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { breakpointModes } from './breakpoint-options';
import { exceptionFilters } from './exception-filters';
import type { SessionState } from './session-state';

const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsFunctionBreakpoints: true,
  supportsInstructionBreakpoints: true,
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsBreakpointLocationsRequest: true,
  supportsEvaluateForHovers: true,
  supportsClipboardContext: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsCompletionsRequest: true,
  completionTriggerCharacters: ['.', '>', '$'],
  supportsExceptionInfoRequest: true,
  supportsDelayedStackTraceLoading: true,
  supportsSteppingGranularity: true,
  supportsStepInTargetsRequest: true,
  supportsStepBack: true,
  supportsGotoTargetsRequest: true,
  supportsRestartFrame: true,
  supportsRestartRequest: true,
  supportsTerminateThreadsRequest: true,
  supportsSingleThreadExecutionRequests: true,
  supportsCancelRequest: true,
  supportsANSIStyling: true,
  supportsTerminateRequest: true,
  supportsReadMemoryRequest: true,
  supportsWriteMemoryRequest: true,
  supportsDisassembleRequest: true,
  supportsModulesRequest: true,
  additionalModuleColumns: [{ attributeName: 'regions', label: 'Regions', type: 'string' }],
  supportsLoadedSourcesRequest: true,
  supportsExceptionFilterOptions: true,
  exceptionBreakpointFilters: [...exceptionFilters],
  supportsValueFormattingOptions: true,
  supportedChecksumAlgorithms: ['MD5'],
  breakpointModes: [...breakpointModes],
};

const capabilitiesOfServers: DebugProtocol.Capabilities = {
  supportTerminateDebuggee: true,
  supportSuspendDebuggee: true,
};

export function initialize(
  session: SessionState,
  args: DebugProtocol.InitializeRequestArguments,
  after: (action: () => void) => void,
): DebugProtocol.Capabilities {
  const { client, services } = session;
  client.linesStartAt1 = args.linesStartAt1 ?? true;
  client.columnsStartAt1 = args.columnsStartAt1 ?? true;
  client.supportsMemoryEvent = args.supportsMemoryEvent ?? false;
  client.supportsInvalidatedEvent = args.supportsInvalidatedEvent ?? false;
  client.supportsProgressReporting = args.supportsProgressReporting ?? false;
  after(() => session.send(new InitializedEvent()));
  // Only a server keeps what a client leaves.
  return services.targets === undefined ? capabilities : { ...capabilities, ...capabilitiesOfServers };
}
