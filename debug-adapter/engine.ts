/**
 * Which engine executes a session: the built-in one, or the user's unicorn.js (launch attribute `engine`). It is GPL-2.0 and
 * therefore never part of this product: it is loaded from where the user says.
 */
import { createMachine, type MachineOptions } from '../lib/emulator/machine';
import type { Machine } from '../lib/emulator/types';
import { createUnicornMachine } from '../lib/emulator/unicorn/unicorn-machine';
import { errors, messageOf } from './errors';
import type { LaunchConfig } from './launch-config';
import type { AdapterServices } from './services';

type Engine = (options: MachineOptions) => Machine;

/** What the user should know of the chosen engine; undefined when there is nothing to say. */
export function engineNotice(config: LaunchConfig): string | undefined {
  if (config.engine === 'builtin') return undefined;
  return (
    'Unicorn executes this session, on a core of its own (of the M profile, or RV32/RV64 IMAFDC without Zba, Zbb, Zbc and Zbs): no snapshots, ' +
    'no instruction counts of runs that a breakpoint ends (time passes too slowly), no stack limit but the guard pages, no addresses of faulting ' +
    'accesses, and on Arm a fault may come after a part of its instruction.'
  );
}

/** AdapterError when the library cannot be loaded or is not what it should be. */
export async function chooseEngine(config: LaunchConfig, services: AdapterServices): Promise<Engine> {
  if (config.engine === 'builtin') return createMachine;
  if (services.loadUnicorn === undefined) throw errors.noUnicorn('this debug adapter runs in a browser');
  if (config.unicornPath === undefined) throw errors.noUnicorn('no path of the library is set');
  let module: unknown;
  try {
    module = await services.loadUnicorn(config.unicornPath);
  } catch (error) {
    throw errors.noUnicorn(`${config.unicornPath} cannot be loaded (${messageOf(error).split('\n')[0]})`);
  }
  return ({ cpu, regions }) => {
    try {
      return createUnicornMachine(module, cpu, regions);
    } catch (error) {
      throw errors.noUnicorn(`${config.unicornPath ?? ''}: ${messageOf(error)}`);
    }
  };
}
