/**
 * RiscvMachine: an emulated hart of memory, registers and the predecoded interpreter.
 *
 * run() drives interpret() in slices and turns the reason it stopped for into a RunStop with exact state: pc is the
 * instruction that did not execute. With `traps` a fault, ECALL or EBREAK enters the handler at mtvec, as on hardware, and
 * pending interrupts are taken; without (a debug session) they stop the run before they have any effect.
 */
import type { RiscvCpu } from '../../arch';
import type { Block } from '../accounts';
import { DirectAccess } from '../direct-access';
import type { JitOptions } from '../jit/jit';
import { RiscvEmitter } from '../jit/riscv/riscv-emitter';
import { RiscvLifter } from '../jit/riscv/riscv-lifter';
import { GuestMemory } from '../memory';
import { PredecodedMachine } from '../predecoded-machine';
import { Rewind } from '../rewind';
import { sliceLength, Stop } from '../stop';
import type { Fault, Machine, MemoryRegion, RunStop } from '../types';
import { readBlock } from './blocks';
import { interpretRiscvCarefully } from './careful';
import { Core } from './core';
import { interpret as interpret32 } from './interpreter32.generated';
import { interpret as interpret64 } from './interpreter64.generated';
import { RegisterView } from './register-view';
import { Mstatus, Privilege, State } from './state';
import { enterTrap, trapOf, type TrapCause } from './traps';

export interface RiscvOptions {
  /** Faults and environment calls are taken as traps instead of ending the run. */
  readonly traps?: boolean;
  /** 'supported' (the default): misaligned loads and stores are performed; else they trap. */
  readonly misaligned?: 'supported' | 'trap';
  readonly hartId?: number;
  /** Hot code is translated to WebAssembly; without it everything is interpreted. */
  readonly jit?: JitOptions;
}

/** Interrupts that a platform raises: bits of mip. */
export const Interrupt = { software: 3, timer: 7, external: 11 } as const;

/** x0 is 0 always: there are no modes. */
const wordsOf = (xlen: 32 | 64) => ({ ...State, sp: xlen === 32 ? 2 : 4, stack: 2, mode: 0 });

export class RiscvMachine extends PredecodedMachine<Core> implements Machine {
  readonly state: RegisterView;
  readonly rewind: Rewind;
  readonly direct: DirectAccess;
  private readonly traps: boolean;
  private readonly interpret: (core: Core, budget: number) => number;

  constructor(
    readonly cpu: RiscvCpu,
    regions: readonly MemoryRegion[],
    { traps = false, misaligned = 'supported', hartId = 0, jit }: RiscvOptions = {},
  ) {
    const memory = new GuestMemory(regions);
    const { xlen, f, d } = cpu.isa;
    super(memory, new Core(cpu, memory, { misaligned: misaligned === 'supported', hartId }), wordsOf(xlen));
    const { core } = this;
    this.direct = new DirectAccess(memory, 32, xlen === 32 ? 1 : 2);
    this.state = new RegisterView(cpu, memory, core);
    this.traps = traps;
    this.interpret = xlen === 32 ? interpret32 : interpret64;
    memory.state[State.privilege] = Privilege.machine;
    // Extensions do not switch the floating-point unit on: the kernel has.
    if (f) memory.state[State.mstatus] = Mstatus.FS & ~(1 << 14);
    if (jit) {
      this.jit = this.makeJit(jit, (options) => {
        const emitter = new RiscvEmitter(options, xlen, d);
        return { emitter, lifter: new RiscvLifter(core, core.code, emitter) };
      });
    }
    this.rewind = new Rewind(memory, (before) => core.stateReplaced(before));
  }

  /** A trap counts as one against the budget, so that a handler that faults itself does not run for ever. */
  protected override runOn(budget: number): void {
    const { core } = this;
    let left = budget;
    while (left > 0 && core.stop === Stop.none) {
      const interrupt = this.traps ? core.csr.pendingInterrupt() : undefined;
      if (interrupt !== undefined) this.enter({ interrupt });
      left -= this.advance(Math.min(left, sliceLength));
      core.settle();
      if (core.stop !== Stop.none && this.traps) left -= this.trap();
    }
  }

  protected override readBlock(): Block {
    return readBlock(this.memory, this.core.code.decoder, this.pc, this.cpu.isa.xlen);
  }

  /** Raises or lowers an interrupt of the platform; it is taken between instructions when it is enabled. */
  setInterrupt(which: keyof typeof Interrupt, pending: boolean): void {
    const bit = 1 << Interrupt[which];
    const state = this.memory.state;
    state[State.mip] = pending ? state[State.mip] | bit : state[State.mip] & ~bit;
  }

  /** What the instructions have put off is for core.settle(). */
  protected override slice(budget: number, untilTranslated = false): number {
    const { core } = this;
    const state = this.memory.state;
    core.position = core.code.enter(state[State.pc]);
    core.stopsAtTranslated = untilTranslated;
    core.sliceBudget = budget;
    core.left = budget;
    const { safety } = core;
    const executed = safety ? interpretRiscvCarefully(core, safety, budget) : this.interpret(core, budget);
    core.sliceBudget = 0;
    core.left = 0;
    // The interpreter may have mapped or grown memory by a call: the views are taken anew.
    const after = this.memory.state;
    after[State.pc] = core.target >= 0 ? core.target : core.code.addressOf(core.position);
    core.target = -1;
    this.count(executed);
    return executed;
  }

  protected override stepOver(): number {
    const { code } = this.core;
    const { pc } = this;
    code.drop(pc);
    code.ignoredBreakpoint = pc;
    const executed = this.slice(1);
    this.core.settle();
    code.ignoredBreakpoint = -1;
    code.drop(pc);
    return executed;
  }

  /** Takes what has stopped the slice as a trap; 0 when it is none. */
  private trap(): number {
    const { core } = this;
    const cause = trapOf(core, this.fetchEncoding());
    if (cause === undefined) return 0;
    core.stop = Stop.none;
    core.fault = undefined;
    this.enter(cause);
    return 1;
  }

  private enter(cause: TrapCause): void {
    enterTrap(this.core, cause);
    this.core.settle();
  }

  protected override callStop(isDebug: boolean, address: number): RunStop {
    return { reason: isDebug ? 'ebreak' : 'ecall', address };
  }

  /** The instruction at pc as far as it can be read; undefined where nothing is. */
  private fetchEncoding(): { readonly word: number; readonly length: 2 | 4 } | undefined {
    const bytes = this.memory.read(this.pc, 4);
    if (bytes.length < 2) return undefined;
    const low = bytes[0] | (bytes[1] << 8);
    if ((low & 3) !== 3 || bytes.length < 4) return { word: low, length: 2 };
    return { word: (low | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0, length: 4 };
  }

  protected override describeFault(pc: number): Fault {
    const pending = this.core.fault;
    const encoding = pending?.access === 'execute' && pending.kind !== 'unaligned' ? undefined : this.fetchEncoding();
    return {
      kind: pending?.kind ?? 'unhandled-exception',
      pc,
      access: pending?.access,
      address: pending?.address,
      wideAddress: pending?.wideAddress,
      size: pending?.size,
      encoding: encoding?.word,
      encodingLength: encoding?.length,
      message: pending?.message ?? '',
      ...(pending?.safety && { safety: pending.safety }),
    };
  }
}
