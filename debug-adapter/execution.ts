/**
 * Running and stopping: one operation at a time (continue or a step), its outcome told to the client as a stopped
 * event or as the end of the session. A pause, restart or disconnect ends the operation from outside.
 */
import { ExitedEvent, StoppedEvent, TerminatedEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { SourceFile } from '../lib/dwarf/model';
import type { TargetStop } from '../lib/target/target';
import type { UserBreakpoint } from './breakpoints';
import { sendCoverage } from './coverage';
import { dataStopTexts } from './data-stop';
import { prepareListing } from './disassemble';
import { errors, messageOf } from './errors';
import { endOfCall } from './exit-text';
import { isUnsafe } from './exception-filters';
import { faultText } from './exceptions';
import { announceHistory } from './history-requests';
import type { SessionState } from './session-state';
import { compareReplay } from './replay-file';
import { threadId } from './thread-id';
import { hiddenAtBreakpoint } from './stop-position';
import { noStepFilter, stepFilterOf } from './step-filter';
import { ReverseStepper } from './reverse-stepping';
import { type CallTarget, Stepper, type StepKind, type StepResult, type StepUnit } from './stepping';
import { Stop } from './stop';

type StopReason = 'entry' | 'goto' | 'restart' | 'checkpoint';
type Operation = (stepper: Stepper) => Promise<StepResult>;

export class Execution {
  /** Undefined while the program runs, before it starts and after it has ended. */
  stop: Stop | undefined;
  ended = false;
  private stepper: Stepper | undefined;
  /** What runs, or ran last. */
  private operation: Operation | undefined;
  private current: Promise<void> = Promise.resolve();
  private discarded = false;
  /** Known when the entry has returned. */
  private exitCode: number | undefined;
  /** The moment of that: when the program was set back to before it, it is to return again. */
  private exitTime = 0;
  /** The client has been shown where the host ended the program: what resumes now ends it. */
  private abortTold = false;
  /** What the program printed is to be read before it goes on. */
  private waitsForReader = false;
  private endCode: number | undefined;

  constructor(private readonly session: SessionState) {}

  get running(): boolean {
    return this.stepper !== undefined;
  }

  /** A new machine is there; nothing has run in it. */
  reset(): void {
    this.stop = undefined;
    this.ended = false;
    this.discarded = false;
    this.exitCode = undefined;
    this.abortTold = false;
  }

  continue(): void {
    const { target } = this.session.requireInferior('continue');
    // A recording that is run again is stopped at where it was saved.
    const { replay } = this.session;
    const until = replay?.isTold === false ? replay.recording.result.steps : undefined;
    this.run(async () => ({ stop: await target.resume({ kind: 'continue', until }), hidden: 0 }));
  }

  step(kind: StepKind, unit: StepUnit, target?: CallTarget): void {
    const hidden = this.stop?.hidden ?? 0;
    this.run((stepper) => stepper.step(kind, { unit, hidden, ...(target === undefined ? {} : { target }) }));
  }

  reverseContinue(): void {
    const { target } = this.session.requireInferior('reverseContinue');
    this.runBack(async () => ({ stop: await target.resume({ kind: 'reverse-continue' }), hidden: 0 }));
  }

  stepBack(kind: StepKind, unit: StepUnit): void {
    const hidden = this.stop?.hidden ?? 0;
    const inferior = this.session.requireInferior('stepBack');
    this.runBack((stepper) => new ReverseStepper(inferior, () => stepper.isCancelled).step(kind, unit, hidden));
  }

  /** To a moment of the recording. */
  goToTime(time: number): void {
    const { target } = this.session.requireInferior('goTo');
    this.runBack(async () => {
      await target.goTo(time);
      return { stop: { reason: 'step' }, hidden: 0 };
    }, 'checkpoint');
  }

  /** Where the host has ended the program it is alive again before. */
  private runBack(operation: Operation, reason?: StopReason): void {
    this.abortTold = false;
    this.stop = this.stop && new Stop(this.stop.inferior, { reason: 'step' }, this.stop.registerFile, 0);
    this.run(operation, reason);
  }

  pause(): void {
    this.stepper?.cancel();
    // A function that an expression calls.
    if (this.session.calling !== undefined) this.session.inferior?.target.pause();
  }

  /** Stops whatever runs, without telling the client; afterwards nothing touches the machine any more. */
  async halt(): Promise<void> {
    this.discarded = true;
    this.pause();
    await this.session.calling?.catch(() => undefined);
    await this.current;
  }

  /** Stops whatever runs, where it is. */
  async suspend(): Promise<void> {
    this.pause();
    await this.current;
    this.waitsForReader = false;
  }

  waitForReader(): void {
    this.waitsForReader = true;
    this.pause();
  }

  /** A client that comes in the middle is told how it stands. */
  present(): void {
    const { session, stop } = this;
    const waits = this.waitsForReader;
    this.waitsForReader = false;
    if (this.ended) this.tellEnd();
    else if (stop !== undefined && waits && stop.cause.reason === 'pause') this.continue();
    else if (stop !== undefined) {
      const event = stoppedEvent(session, stop.cause, undefined, undefined);
      if (event.body.reason !== 'exception') event.body.reason = 'pause';
      event.body.description ??= 'Paused when the target was left';
      session.send(event);
    }
  }

  /** `reason`: what a step that ends in its own stop is called. */
  run(operation: Operation, reason?: StopReason): void {
    const inferior = this.session.requireInferior('continue');
    const { config, sourcePaths } = this.session;
    const pathOf = (file: SourceFile): string => sourcePaths?.known(file) ?? file.path;
    const stepper = new Stepper(inferior, stepFilterOf(config?.stepFilter ?? noStepFilter, pathOf));
    const told = this.stop?.cause;
    this.operation = operation;
    this.stepper = stepper;
    this.stop = undefined;
    this.session.frames.invalidate();
    this.session.containers.invalidate();
    this.session.stepInTargets.invalidate();
    this.session.gotoTargets.invalidate();
    const aborted = told?.reason === 'aborted' ? Promise.resolve({ stop: told, hidden: 0 }) : undefined;
    this.current = this.finish(aborted ?? operation(stepper), reason);
  }

  /** The program counter was set: the same machine is shown at another place. */
  async moved(reason: 'goto'): Promise<void> {
    const { session } = this;
    const inferior = session.requireInferior(reason);
    session.frames.invalidate();
    session.containers.invalidate();
    session.stepInTargets.invalidate();
    session.gotoTargets.invalidate();
    const cause: TargetStop = { reason: 'step' };
    this.stop = new Stop(inferior, cause, await inferior.target.registerFile(), 0);
    session.send(stoppedEvent(session, cause, reason, undefined));
  }

  /** The session is over: tells the client once. */
  end(exitCode: number | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.stop = undefined;
    this.endCode = exitCode;
    if (this.session.inferior !== undefined) compareReplay(this.session);
    this.tellEnd();
  }

  private tellEnd(): void {
    sendCoverage(this.session);
    if (this.endCode !== undefined) this.session.send(new ExitedEvent(this.endCode));
    this.session.send(new TerminatedEvent());
  }

  private async finish(operation: Promise<StepResult>, reason: StopReason | undefined): Promise<void> {
    try {
      const result = await operation;
      this.stepper = undefined;
      if (!this.discarded) await this.report(result, reason);
    } catch (error) {
      this.stepper = undefined;
      if (this.discarded) return;
      this.session.output.line('important', errors.internal('run', messageOf(error)).message);
      this.end(1);
    }
  }

  /** The entry returned: the fini functions run next, as llext_teardown calls them. */
  private callEnded(stop: Extract<TargetStop, { reason: 'exited' | 'aborted' }>): void {
    const { target } = this.session.requireInferior('run');
    const { now } = target.history;
    if (this.exitCode === undefined || now <= this.exitTime || stop.reason === 'aborted') {
      const { text, exitCode } = endOfCall(this.session, stop);
      this.session.output.line('console', text);
      this.exitCode = exitCode;
      this.exitTime = now;
      const calls = stop.reason === 'aborted' ? [] : target.tearDownCalls();
      const last = calls.at(-1);
      if (last !== undefined) {
        target.prepareCall(last.address, [], calls.slice(0, -1));
        this.continue();
        return;
      }
    }
    this.end(this.exitCode);
  }

  private async report({ stop, hidden, returned }: StepResult, reason: StopReason | undefined): Promise<void> {
    const { session } = this;
    if (stop.reason === 'exited' || (stop.reason === 'aborted' && this.abortTold)) {
      this.callEnded(stop);
      return;
    }
    const inferior = session.requireInferior('run');
    const registers = await inferior.target.registerFile();
    const shown = stop.reason === 'breakpoint' ? await hiddenAtBreakpoint(session, stop.ids) : hidden;
    const shownStop = new Stop(inferior, stop, registers, shown, returned);
    let problem: string | undefined;
    if (stop.reason === 'fault' || stop.reason === 'aborted') {
      const decision = await session.exceptions.decide(shownStop);
      if (!decision.stops) {
        this.exceptionEnds(stop, reason);
        return;
      }
      problem = decision.problem;
    }
    announceHistory(session);
    compareReplay(session);
    this.stop = shownStop;
    this.abortTold = stop.reason === 'aborted';
    const event = stoppedEvent(session, stop, reason, problem);
    await describeDataStop(session, stop, event);
    session.send(event);
    session.prepareOnce(async () => {
      const [frame] = (await shownStop.framesTo(1)).frames;
      if (this.stop === shownStop) await prepareListing(session, frame.pc);
    });
  }

  /** No filter wants to see it: the program ends as it would on a board. */
  private exceptionEnds(
    stop: Extract<TargetStop, { reason: 'fault' | 'aborted' }>,
    reason: StopReason | undefined,
  ): void {
    if (isUnsafe(stop) && this.operation) {
      this.run(this.operation, reason);
      return;
    }
    if (stop.reason === 'aborted') {
      this.callEnded(stop);
      return;
    }
    this.session.output.line('important', faultText(this.session, stop.fault));
    this.end(1);
  }
}

function stoppedEvent(
  session: SessionState,
  stop: TargetStop,
  reason: StopReason | undefined,
  problem: string | undefined,
): DebugProtocol.StoppedEvent {
  const event: DebugProtocol.StoppedEvent = new StoppedEvent(reason ?? reasonOf(stop), threadId);
  event.body.allThreadsStopped = true;
  if (stop.reason === 'breakpoint') {
    const hit = session.breakpoints.table.hitBy(stop.ids);
    if (hit.length > 0) event.body.reason = breakpointReason(hit);
    event.body.hitBreakpointIds = hit.map(({ id }) => id);
    const errorsMet = hit.flatMap(({ lastError }) => (lastError === undefined ? [] : [lastError]));
    if (errorsMet.length > 0) event.body.text = errorsMet.join('\n');
  } else if (stop.reason === 'fault') {
    event.body.description = isUnsafe(stop) ? 'Paused before an unsafe access' : 'Paused on fault';
    event.body.text = withProblem(faultText(session, stop.fault), problem);
  } else if (stop.reason === 'aborted') {
    event.body.description = 'Paused where the host ends the program';
    event.body.text = withProblem(`aborted: ${stop.message}`, problem);
  } else if (stop.reason === 'history-start') {
    event.body.description = 'Paused at the start of the recording';
    event.body.text = stop.lost
      ? 'This is the first moment that is still recorded: to keep within "history" MiB, what was before was given up.'
      : 'This is where the program began.';
  }
  return event;
}

/** Data breakpoints say what has happened, in the event and in the Debug Console, and which of them have ended. */
async function describeDataStop(session: SessionState, stop: TargetStop, { body }: DebugProtocol.StoppedEvent) {
  const ended = session.dataBreakpoints.frameEnded(stop).map(({ id, message }) => ({ id, message }));
  const isWatch = stop.reason === 'watchpoint';
  if (!isWatch && ended.length === 0) return;
  const hit = isWatch ? session.dataBreakpoints.hitBy(stop).map(({ breakpoint }) => breakpoint) : [];
  const texts = isWatch ? await dataStopTexts(session, stop) : [];
  const whole = texts.map(({ what, who }) => `${what}, ${who}`);
  const over = ended.map(({ message }) => `Data breakpoint removed: ${message}`);
  texts.forEach(({ position }, i) => session.output.line('console', whole[i], position));
  for (const line of over) session.output.line('console', line);
  const others = session.breakpoints.table.hitBy('ids' in stop ? stop.ids : []).map(({ id }) => id);
  if (isWatch || others.length === 0) {
    body.reason = 'data breakpoint';
    // Short, because clients have little room for it.
    body.description = texts.at(0)?.what ?? ended.at(0)?.message ?? 'Paused on data breakpoint';
  }
  const problems = hit.flatMap(({ lastError }) => (lastError === undefined ? [] : [lastError]));
  body.text = [...whole, ...over, ...problems, ...(body.text === undefined ? [] : [body.text])].join('\n');
  body.hitBreakpointIds = [...hit.map(({ id }) => id), ...ended.map(({ id }) => id), ...others];
}

/** The protocol's names for breakpoints of one kind. */
function breakpointReason(hit: readonly UserBreakpoint[]): string {
  const kinds = new Set(hit.map(({ place }) => place.kind));
  const [kind] = kinds;
  return kinds.size > 1 || kind === 'source' ? 'breakpoint' : `${kind} breakpoint`;
}

function withProblem(text: string, problem: string | undefined): string {
  return problem === undefined ? text : `${text}\n${problem}`;
}

function reasonOf(stop: TargetStop): string {
  switch (stop.reason) {
    case 'step':
    case 'pause':
    case 'breakpoint':
      return stop.reason;
    case 'watchpoint':
      return 'data breakpoint';
    case 'history-start':
      return 'start of recording';
    case 'fault':
    case 'aborted':
      return 'exception';
    default:
      return 'unknown';
  }
}
