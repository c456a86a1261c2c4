/** A scope in which nothing has a name: constants, operators and type keywords only. */
import type { ExpressionScope } from '../../lib/c-expression';
import { machineRegisters } from '../../lib/dwarf/regnum';
import { moduleFrame, type UnwindMachine } from '../../lib/dwarf/unwind-frame';
import { basicTypes } from '../../lib/dwarf/value-types';

const EM_ARM = 40;

export function emptyScope(addressSize: 4 | 8 = 4, charSigned = false, littleEndian = true): ExpressionScope {
  const machine: UnwindMachine = { addressSize, littleEndian, registers: machineRegisters(EM_ARM) };
  return {
    machine,
    isCPlusPlus: false,
    types: basicTypes(addressSize, charSigned),
    frame: moduleFrame(undefined, machine),
    lookup: () => undefined,
    isTypeName: () => false,
    typeNamed: () => undefined,
    register: () => undefined,
  };
}
