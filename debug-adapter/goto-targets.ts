/**
 * gotoTargets and goto: the next statement is set by the user. Only within the function that the program is stopped in:
 * elsewhere the stack would be another function's, and where the stack has another depth (prologue, epilogue), the return
 * would go nowhere. What is skipped is not run, and what the compiler keeps in registers stays as it is.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type { FunctionInfo, SourceFile } from '../lib/dwarf/model';
import type { Frame } from '../lib/dwarf/unwind-frame';
import type { LoadedProgram, StepRange } from '../lib/program/loaded-program';
import { errors } from './errors';
import type { LoadedModule } from './inferior';
import { baseName } from '../lib/paths';
import type { SessionState } from './session-state';
import { threadId } from './thread-id';

export async function gotoTargets(
  session: SessionState,
  args: DebugProtocol.GotoTargetsArguments,
): Promise<DebugProtocol.GotoTargetsResponse['body']> {
  const stop = session.requireStop('gotoTargets');
  const { path } = args.source;
  if (path === undefined) throw errors.badArguments('gotoTargets', 'the source has no path');
  const line = session.fromClientLine(args.line);
  const column = args.column === undefined ? undefined : session.fromClientColumn(args.column);
  const frame = (await stop.frame(0))?.frame;
  const module = frame && stop.inferior.moduleAt(frame.lookupPc);
  if (frame?.function === undefined || module === undefined) {
    throw errors.noGoto('the program is not stopped in a function with debug information');
  }
  const files = await session.breakpoints.sourceFiles(path, module.source);
  const inLine = [...statementsOf(module.program, frame.function)].filter(
    (block) => block.line === line && files.includes(block.file),
  );
  const first = column === undefined ? undefined : inLine.find((block) => block.column >= column);
  const wanted = first === undefined ? inLine : inLine.filter((block) => block.column === first.column);
  if (wanted.length === 0) throw errors.noGoto(whyNot(module, frame.function, files, line, baseName(path)));
  const possible = wanted.filter((block) => hasSameDepth(frame, module.program, block));
  if (possible.length === 0) {
    throw errors.noGoto(
      `at line ${line} the stack has another depth than here: it is in the entry or exit of the function`,
    );
  }
  return { targets: possible.map((block) => describe(session, block)) };
}

function describe(session: SessionState, block: StepRange): DebugProtocol.GotoTarget {
  const { start, line, column } = block;
  const id = session.gotoTargets.set(start.toString(), start);
  const own = column > 0 ? { column: session.toClientColumn(column) } : {};
  const label = `line ${line} (${hex(start, 8)})`;
  return { id, label, line: session.toClientLine(line), ...own, instructionPointerReference: hex(start, 8) };
}

/** Sets the program counter; the client gets a stop of its own for it. */
export async function goto(
  session: SessionState,
  args: DebugProtocol.GotoArguments,
  after: (action: () => void) => void,
): Promise<void> {
  if (args.threadId !== threadId) throw errors.unknownThread(args.threadId);
  const stop = session.requireStop('goto');
  const address = session.gotoTargets.get(args.targetId);
  if (address === undefined) throw errors.unknownTarget(args.targetId);
  await stop.inferior.target.writeRegister('pc', address);
  after(() => void session.execution.moved('goto'));
}

/** The statements of a function, in the order of its code, at load addresses. */
function* statementsOf(program: LoadedProgram, { ranges }: FunctionInfo): Generator<StepRange> {
  for (const range of ranges) {
    let address = program.toLoad(range.start);
    const end = address === undefined ? undefined : address + (range.end - range.start);
    while (address !== undefined && end !== undefined && address < end) {
      const block = program.stepRangeAt(address);
      if (block === undefined || block.end <= address) break;
      if (block.isStatement) yield block;
      address = block.end;
    }
  }
}

/** The frame address is found in the same way at both places. */
function hasSameDepth(frame: Frame, program: LoadedProgram, { start }: StepRange): boolean {
  const link = program.toLink(start);
  const there = link === undefined ? undefined : (program.debug?.cfiAt(link) ?? program.frameRowAt(link, false))?.cfa;
  const here = frame.row?.cfa;
  if (here?.kind !== 'register' || there?.kind !== 'register') return here === there;
  return here.register === there.register && here.offset === there.offset;
}

function whyNot(
  { program }: LoadedModule,
  here: FunctionInfo,
  files: readonly SourceFile[],
  line: number,
  name: string,
): string {
  if (files.length === 0) return `${name} is no source of the code that the program is stopped in`;
  const others = program.breakpointLocations(files, line).filter((found) => found.line === line);
  const other = others.find(
    (found) => found.function !== undefined && found.function.entryPc !== here.entryPc,
  )?.function;
  if (other !== undefined) return `line ${line} is in ${other.name}, but the program is stopped in ${here.name}`;
  return `line ${line} of ${name} has no code in ${here.name}`;
}
