/** Unicorn's error codes as faults. */
import type { Fault, FaultKind } from '../types';
import { UcError } from './unicorn-api';

const faultKinds: Readonly<Record<number, { kind: FaultKind; access: Fault['access'] }>> = {
  [UcError.READ_UNMAPPED]: { kind: 'unmapped', access: 'read' },
  [UcError.WRITE_UNMAPPED]: { kind: 'unmapped', access: 'write' },
  [UcError.FETCH_UNMAPPED]: { kind: 'unmapped', access: 'execute' },
  [UcError.READ_PROT]: { kind: 'forbidden', access: 'read' },
  [UcError.WRITE_PROT]: { kind: 'forbidden', access: 'write' },
  [UcError.FETCH_PROT]: { kind: 'forbidden', access: 'execute' },
  [UcError.READ_UNALIGNED]: { kind: 'unaligned', access: 'read' },
  [UcError.WRITE_UNALIGNED]: { kind: 'unaligned', access: 'write' },
  [UcError.FETCH_UNALIGNED]: { kind: 'invalid-state', access: 'execute' },
  [UcError.INSN_INVALID]: { kind: 'undefined-instruction', access: undefined },
  [UcError.EXCEPTION]: { kind: 'unhandled-exception', access: undefined },
};

export interface Encoding {
  readonly word: number;
  readonly length: 2 | 4;
}

/** `kinds`: where the architecture knows more. `encodingAt` is asked when the instruction could be read. */
export function unicornFault(
  code: number,
  pc: number,
  encodingAt: (pc: number) => Encoding | undefined,
  kinds: typeof faultKinds = {},
): Fault {
  const { kind, access } = kinds[code] ?? faultKinds[code] ?? { kind: 'unhandled-exception', access: undefined };
  const encoding = access === 'execute' ? undefined : encodingAt(pc);
  return {
    kind,
    pc,
    access,
    address: access === 'execute' ? pc : undefined,
    size: undefined,
    encoding: encoding?.word,
    encodingLength: encoding?.length,
    message: `Unicorn stopped with error ${code}; it does not tell the address`,
  };
}
