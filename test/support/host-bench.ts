/** The base image's functions on a bench: real guest memory, registers set by the test, no engine. */
import { aapcs } from '../../lib/kernel/aapcs';
import { baseFunctions } from '../../lib/kernel/base-image';
import { Console, type OutputEvent } from '../../lib/kernel/console';
import { GuestMemory } from '../../lib/kernel/guest-memory';
import { HostCalls, type HostCallEnd } from '../../lib/kernel/host-calls';
import type { KernelServices } from '../../lib/kernel/host-call';
import { implementations } from '../../lib/kernel/implementations';
import { KHeap } from '../../lib/kernel/k-heap';
import { memoryMap, SYSTEM_K_HEAP } from '../../lib/kernel/memory-map';
import { SystemHeap } from '../../lib/kernel/system-heap';
import { VirtualClock } from '../../lib/kernel/virtual-clock';
import { fakeMachine } from './fake-machine';

const RETURN_ADDRESS = 0x2001_0004;

export interface HostBench {
  readonly memory: GuestMemory;
  readonly calls: HostCalls;
  readonly clock: VirtualClock;
  readonly output: OutputEvent[];
  /** Gives an unfinished line, as at a stop. */
  flush(): void;
  readonly state: ReturnType<typeof fakeMachine>['state'];
  /** Calls with r0-r3 as given; r0-r3 and xPSR afterwards. The call has to return. */
  callRegisters(name: string, registers: readonly number[]): number[];
  /** Calls with words in r0-r3 and on the stack; how it ended. */
  call(name: string, ...words: number[]): HostCallEnd;
  /** r0 after a call that has to return. */
  value(name: string, ...words: number[]): number;
}

export function hostBench(saturatingDivide = true, longSize: 4 | 8 = 4): HostBench {
  const map = memoryMap(64);
  const machine = fakeMachine(map.regions);
  const memory = new GuestMemory(machine.memory);
  const clock = new VirtualClock({ skippedCycles: 0 }, () => machine.instructionCount);
  const output: OutputEvent[] = [];
  const console = new Console({ written: 0 }, (event) => output.push(event));
  const services: KernelServices = {
    clock,
    heap: new SystemHeap(
      KHeap.init(machine.memory, map.systemHeap.base, map.systemHeap.size),
      machine.memory,
      SYSTEM_K_HEAP,
      4,
    ),
    convention: { ...aapcs, longSize },
    saturatingDivide,
    random: 1,
    map,
    print: (bytes, stream) => console.print(bytes, stream, RETURN_ADDRESS),
  };
  const calls = new HostCalls(machine, memory, implementations, services, map.callFn.returnAddress);
  for (const entry of baseFunctions) calls.serve(entry);
  const addresses = new Map(baseFunctions.map((entry) => [entry.name, entry.address]));
  const { state } = machine;

  const call = (name: string, ...words: number[]): HostCallEnd => {
    const stackTop = 0x2000_5f00;
    words.slice(4).forEach((word, i) => memory.setU32(stackTop + i * 4, word, 'stack'));
    words.slice(0, 4).forEach((word, i) => (state.r[i] = word | 0));
    state.r[13] = stackTop;
    state.r[14] = RETURN_ADDRESS | 1;
    const address = addresses.get(name);
    if (address === undefined) throw new RangeError(name);
    state.write('pc', address);
    return calls.perform(address);
  };
  const returned = (name: string, words: readonly number[]): void => {
    const end = call(name, ...words);
    if (end.kind !== 'returned') throw new Error(`${name} ended with ${JSON.stringify(end)}`);
  };
  return {
    memory,
    calls,
    clock,
    output,
    flush: () => console.flush(),
    state,
    call,
    callRegisters(name, registers) {
      returned(name, registers);
      return [...Array.from(state.r.subarray(0, 4), (value) => value >>> 0), state.read('xpsr')];
    },
    value(name, ...words) {
      returned(name, words);
      return state.r[0] >>> 0;
    },
  };
}
