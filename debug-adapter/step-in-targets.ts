/**
 * stepInTargets: the calls of the line that the program is stopped at, those that are still to come, in the order of
 * the code: real calls of functions with lines, and inlined ones.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Scope, SourcePosition } from '../lib/dwarf/model';
import { CallFinder } from '../lib/program/call-instructions';
import type { LoadedProgram } from '../lib/program/loaded-program';
import type { Inferior } from './inferior';
import type { SessionState } from './session-state';
import { requireFrame } from './stack-trace';
import { type Line, positionNow, sameLine, type StepPosition, visibleLine } from './step-position';
import type { CallTarget } from './stepping';

interface FoundCall {
  /** Load address of the call or of the first inlined instruction. */
  readonly address: bigint;
  readonly label: string;
  readonly position: SourcePosition | undefined;
  readonly target: CallTarget;
}

export async function stepInTargets(
  session: SessionState,
  args: DebugProtocol.StepInTargetsArguments,
): Promise<DebugProtocol.StepInTargetsResponse['body']> {
  const stop = session.requireStop('stepInTargets');
  const { level } = await requireFrame(session, args.frameId);
  // A step begins where the program is, which only the innermost frame shows.
  if (level !== 0) return { targets: [] };
  const { inferior } = stop;
  const here = await positionNow(inferior, stop.hidden);
  const line = visibleLine(here);
  if (line === undefined || here.program === undefined) return { targets: [] };
  const calls = [...inlinedCalls(here, line, here.program), ...realCalls(inferior, here, line, here.program)];
  const sorted = calls.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return { targets: sorted.map((call, index) => describe(session, call, index)) };
}

function describe(session: SessionState, { label, position, target }: FoundCall, index: number) {
  const id = session.stepInTargets.set(`target ${index}`, target);
  if (position === undefined) return { id, label };
  const column = position.column > 0 ? { column: session.toClientColumn(position.column) } : {};
  return { id, label, line: session.toClientLine(position.line), ...column };
}

interface Block extends Line {
  readonly start: bigint;
  readonly end: bigint;
}

/** The code of the function from the pc on, at load addresses. */
function* blocksOf(here: StepPosition, program: LoadedProgram): Generator<Block> {
  for (const range of here.frame.function?.ranges ?? []) {
    let address = program.toLoad(range.start);
    const end = address === undefined ? undefined : address + (range.end - range.start);
    while (address !== undefined && end !== undefined && address < end) {
      const block = program.stepRangeAt(address);
      if (block === undefined || block.end <= address) break;
      const start = block.start < here.pc && here.pc < block.end ? here.pc : block.start;
      if (start >= here.pc) yield { ...block, start };
      address = block.end;
    }
  }
}

/** What the registers for integers hold now. */
function knownRegisters({ frame }: StepPosition): Map<number, bigint> {
  const known = new Map<number, bigint>();
  for (const number of frame.machine.registers.names.keys()) {
    const value = frame.registers.get(number);
    if (value !== undefined && number < mostIntegers) known.set(number, value);
  }
  return known;
}

const mostIntegers = 32;

function realCalls(inferior: Inferior, here: StepPosition, line: Line, program: LoadedProgram): FoundCall[] {
  const { target } = inferior;
  const word = (address: bigint): number | undefined => {
    const { data, unreadable } = target.readMemoryNow(address, 4);
    return unreadable > 0 ? undefined : new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  };
  const finder = new CallFinder(target.cpu.arch, word, knownRegisters(here));
  const found: FoundCall[] = [];
  for (const block of blocksOf(here, program)) {
    const { start, end } = block;
    const { data } = target.readMemoryNow(start, Number(end - start));
    const calls = finder.callsIn(data, start);
    for (const call of sameLine(block, line) ? calls : []) {
      const { returnPc } = call;
      const link = program.toLink(returnPc);
      const site = here.frame.function?.callSites.find((one) => one.returnPc === link)?.target;
      const described = typeof site === 'object' ? program.toLoad(site.entryPc) : undefined;
      const callee = call.target ?? described;
      const callPosition = program.sourceAt(returnPc - 1n);
      const common = { address: returnPc - 1n, position: callPosition, target: { returnPc } };
      if (callee === undefined) {
        found.push({ ...common, label: typeof site === 'string' ? site : '(function pointer)' });
        continue;
      }
      // A function without lines is stepped over anyway.
      const called = inferior.programAt(callee)?.functionAt(callee);
      if (called !== undefined) found.push({ ...common, label: called.name });
    }
  }
  return found;
}

/** Inlined calls that the visible frame makes on its line and that are not behind the pc. */
function inlinedCalls(here: StepPosition, line: Line, program: LoadedProgram): FoundCall[] {
  const visible: Scope | undefined = here.inlines.at(here.hidden) ?? here.frame.function?.scope;
  const found: FoundCall[] = [];
  for (const scope of visible === undefined ? [] : inlinedBy(visible)) {
    const { call, name } = scope.inline;
    const [first] = scope.ranges;
    const address = scope.ranges.length === 0 ? undefined : program.toLoad(first.start);
    if (address === undefined || !sameLine(call, line)) continue;
    const isHidden = here.inlines.slice(0, here.hidden).includes(scope);
    if (!isHidden && address < here.pc) continue;
    found.push({ address, label: name, position: call, target: { scope } });
  }
  return found;
}

type InlinedScope = Scope & { readonly inline: NonNullable<Scope['inline']> };

/** Not those that inlined calls make in turn. */
function* inlinedBy(scope: Scope): Generator<InlinedScope> {
  for (const child of scope.children) {
    if (child.inline !== undefined) yield child as InlinedScope;
    else yield* inlinedBy(child);
  }
}
