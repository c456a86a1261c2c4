/**
 * What of the protocol does not apply, each with its reason, and the matrix of what debuggers offer (52 rows), each with the tests that show it
 * in depth. test/dap-matrix.test.ts walks the schema and these tables.
 */
type Reasons = Readonly<Record<string, string>>;

const reverse =
  'a reverse request of adapters that start programs in a terminal, or sessions below theirs; there is one emulated machine';
const ends = 'only a server (tcp) outlives a connection: elsewhere the machine ends with its adapter';

export const doesNotApply: Readonly<Record<'requests' | 'events' | 'capabilities', Reasons>> = {
  requests: { runInTerminal: reverse, startDebugging: reverse },
  events: {
    continued:
      'the program only ever goes on because a request asks for it, which implies it (protocol, ContinuedEvent)',
  },
  capabilities: {
    supportsExceptionOptions: 'the legacy tree of exceptions; clients use the filters (supportsExceptionFilterOptions)',
  },
};

/** Besides, on all ways to reach the adapter but a server. */
export const onlyAtServers: typeof doesNotApply = {
  requests: { attach: ends },
  events: {},
  capabilities: { supportTerminateDebuggee: ends, supportSuspendDebuggee: ends },
};

const ranges = 'DWARF tells where a statement begins, not where it ends';
const onlyErrors = 'of an answer that refuses: test/dap-errors.test.ts has every one';
const flat = 'no row has that many children that they would have to be had part by part';
const oneThread = 'there is one thread, and what changes may show in any frame';

/** Each is optional in the schema. */
export const absentProperties: Reasons = {
  ...Object.fromEntries(['id', 'format', 'showUser'].map((name) => [`Message.${name}`, onlyErrors])),
  'ErrorResponse.error': onlyErrors,
  'Message.variables': 'messages are whole sentences',
  'Message.sendTelemetry': 'nothing is sent anywhere',
  'Message.url': 'messages say what to do themselves',
  'Message.urlLabel': 'messages say what to do themselves',
  'StoppedEvent.preserveFocusHint': 'there is one thread to look at',
  'ContinuedEvent.event': doesNotApply.events.continued,
  'ContinuedEvent.threadId': doesNotApply.events.continued,
  'ContinuedEvent.allThreadsContinued': doesNotApply.events.continued,
  'TerminatedEvent.restart': 'a session does not restart by itself',
  'OutputEvent.group': 'output is lines',
  'OutputEvent.variablesReference': 'output is text; values are looked at where the program stops',
  'OutputEvent.data': 'of telemetry, which is not sent',
  'Source.presentationHint': 'every source is as good as another',
  'Source.sources': 'a source is one file',
  'Source.adapterData': 'a path or a reference is enough to find a source again',
  'Breakpoint.endLine': ranges,
  'Breakpoint.endColumn': ranges,
  'Breakpoint.offset': 'the address that is told is the exact one',
  'Module.version': 'an extension has none',
  'Module.dateTimeStamp': 'files are read where only their bytes are had',
  'ProcessEvent.systemProcessId': 'the program is emulated and no process of the system',
  'ColumnDescriptor.format': 'text is shown as it is',
  'ColumnDescriptor.width': 'a client knows best',
  'ProgressStartEvent.requestId': 'a progress has an id of its own, by which it can be cancelled',
  'ProgressStartEvent.message': 'the updates have them',
  'ProgressEndEvent.message': 'the updates have them',
  'InvalidatedEvent.threadId': oneThread,
  'InvalidatedEvent.stackFrameId': oneThread,
  'RunInTerminalResponse.processId': reverse,
  'RunInTerminalResponse.shellProcessId': reverse,
  ...Object.fromEntries(
    [
      'BreakpointLocation',
      'StackFrame',
      'StepInTarget',
      'GotoTarget',
      'DisassembledInstruction',
      'LocationsResponse',
    ].flatMap((owner) => ['endLine', 'endColumn'].map((name) => [`${owner}.${name}`, ranges])),
  ),
  ...Object.fromEntries(
    ['source', 'line', 'column', 'endLine', 'endColumn'].map((name) => [
      `Scope.${name}`,
      'the variables of all blocks around the pc are in one scope',
    ]),
  ),
  'Scope.indexedVariables': 'scopes have names',
  'SetVariableResponse.indexedVariables': 'these sessions set single values; test/dap-assign.test.ts sets whole arrays',
  'SetExpressionResponse.indexedVariables':
    'these sessions set single values; test/dap-assign.test.ts sets whole arrays',
  'ExceptionDetails.stackTrace': 'a client asks for the stack itself',
  'ExceptionDetails.innerException': 'faults have no others in them',
  'DisassembledInstruction.column': 'listings are by line',
  ...Object.fromEntries(
    ['Variable', 'SetVariableResponse', 'EvaluateResponse', 'SetExpressionResponse'].map((owner) => [
      `${owner}.namedVariables`,
      flat,
    ]),
  ),
  'VariablePresentationHint.visibility': "the languages' access rules do not hold for a debugger",
  'EvaluateResponse.presentationHint': 'an expression of the user needs no hint',
  'SetExpressionResponse.presentationHint': 'an expression of the user needs no hint',
  'CompletionItem.detail': 'its kind says what it is',
  'CompletionItem.text': 'what is shown is what is inserted',
  'CompletionItem.sortText': 'they are sorted',
  'CompletionItem.selectionStart': 'nothing of it is to be overwritten',
  'CompletionItem.selectionLength': 'nothing of it is to be overwritten',
};

export interface MatrixRow {
  readonly row: string;
  /** [file, a part of the title] */
  readonly tests: readonly (readonly [file: string, title: string])[];
}

const row = (name: string, ...tests: (readonly [string, string])[]): MatrixRow => ({ row: name, tests });

export const matrix: readonly MatrixRow[] = [
  row(
    'source breakpoints',
    ['dap-breakpoints.test.ts', 'is pending, verified while the loader runs, and hit'],
    ['dap-breakpoints.test.ts', 'says why there is none'],
  ),
  row('conditional', ['dap-breakpoints.test.ts', 'a condition that cannot be evaluated stops and says why']),
  row('hit count', ['dap-breakpoints.test.ts', 'hit count ${hitCondition}']),
  row('logpoints', ['dap-breakpoints.test.ts', 'a log message with expressions does not stop']),
  row(
    'function breakpoints',
    ['dap-function-breakpoints.test.ts', 'by a regular expression stops in every function that it matches'],
    ['dap-function-breakpoints.test.ts', 'in one extension only: ext::function'],
  ),
  row('data breakpoints', ['dap-data-breakpoints.test.ts', 'reads, and every access']),
  row('data by address + byte range', ['dap-data-breakpoints.test.ts', 'by variables, addresses and lengths']),
  row('instruction breakpoints', [
    'dap-function-breakpoints.test.ts',
    'stops at its instruction, with condition and hit count',
  ]),
  row(
    'exception filters',
    ['dap-exceptions.test.ts', 'stops where ${name} was called'],
    ['dap-safety.test.ts', 'describe('],
  ),
  row('filter conditions', ['dap-exceptions.test.ts', 'that does not hold ends the session with the fault']),
  row('exception details', [
    'dap-control.test.ts',
    'stops before its effect, and says kind, address, region, symbol and line',
  ]),
  row('breakpoint modes', ['dap-options.test.ts', 'mode once']),
  row('inline/column candidates', ['dap-columns.test.ts', 'each stop before what stands there']),
  row('supportsExceptionOptions (legacy tree)'),
  row('configurationDone', ['dap-launch.test.ts', 'describe('], ['dap-transcripts.test.ts', 'configurationDone']),
  row('stepping granularity', ['dap-step-targets.test.ts', 'statement stops at each statement of a line']),
  row('step-in targets', ['dap-step-targets.test.ts', 'are the calls that objdump shows']),
  row('step back / reverse continue', ['dap-history.test.ts', 'over lines, through the places of the steps forwards']),
  row('goto / jump to cursor', ['dap-controls.test.ts', 'skips and repeats lines of the function']),
  row('restart frame', ['dap-controls.test.ts', 'calls the function again with its arguments']),
  row('restart', ['dap-control.test.ts', 'makes a fresh machine and keeps the breakpoints']),
  row('terminate', ['dap-control.test.ts', 'terminate ends a running program']),
  row('supportTerminateDebuggee', ['dap-attach.test.ts', 'runs on without a client']),
  row('supportSuspendDebuggee', ['dap-attach.test.ts', 'stays suspended']),
  row('terminate threads', ['dap-controls.test.ts', 'is ended by terminateThreads']),
  row('single-thread execution', ['dap-controls.test.ts', 'is the only one that continues or steps']),
  row('cancel', ['dap-controls.test.ts', 'is cancelled by its request']),
  row('delayed stack loading', ['dap-controls.test.ts', 'is a stack of 500 calls, in pieces']),
  row('evaluate for hover', ['dap-calls.test.ts', "'hover'"], ['dap-grammar.test.ts', 'describe(']),
  row('clipboard context', ['dap-variables.test.ts', "'clipboard'"]),
  row('set variable', ['dap-assign.test.ts', 'setVariable']),
  row('set expression', ['dap-assign.test.ts', 'setExpression']),
  row('REPL completions', ['dap-completions.test.ts', 'describe(']),
  row('value formatting hex', ['dap-options.test.ts', 'parameters with types, names and values']),
  row('variable paging', ['dap-assign.test.ts', 'is had part by part']),
  row('lazy variables', ['dap-options.test.ts', 'a value that is worked out when it is asked for']),
  row('memory references on variables', ['dap-variables.test.ts', 'memoryReference']),
  row('readMemory', ['dap-memory.test.ts', 'is read, with what is unreadable counted']),
  row('writeMemory', ['dap-memory.test.ts', 'is written, and the client is told']),
  row('disassemble', ['dap-memory.test.ts', "is objdump's, instruction by instruction"]),
  row('modules', ['dap-modules.test.ts', 'are the loaded extensions']),
  row('loadedSources', [
    'dap-controls.test.ts',
    'are the sources of all that is loaded, with events when that changes',
  ]),
  row('locations', ['dap-controls.test.ts', 'are where a variable is declared']),
  row('source (virtual documents)', ['dap-options.test.ts', 'is shown as the instructions of its lines']),
  row('ANSI styling', ['dap-controls.test.ts', 'has the escape sequences']),
  row('invalidated', ['dap-controls.test.ts', 'by a memory and an invalidated event together']),
  row('memory', ['dap-controls.test.ts', 'by a memory and an invalidated event together']),
  row('progress', ['dap-controls.test.ts', 'has progress from its start to its end']),
  row(
    'module events',
    ['dap-control.test.ts', 'announces the old modules as removed'],
    ['dap-loads.test.ts', 'describe('],
  ),
  row('breakpoint changed', ['dap-breakpoints.test.ts', 'is pending, verified while the loader runs']),
  row('hitBreakpointIds', ['dap-breakpoints.test.ts', 'hitBreakpointIds']),
  row('capabilities event', ['dap-options.test.ts', 'is told when there is no way back']),
];
