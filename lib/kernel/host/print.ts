/**
 * printk and the printf family. The whole text is formatted first: a bad pointer among the arguments is a fault
 * before anything is printed or stored.
 */
import type { ArgumentSource } from '../calling-convention';
import { concatenate, littleEndian } from '../guest-memory';
import type { HostCall, HostImplementation, ImplementationTable, OutputStream } from '../host-call';
import { FILE_SIZE } from '../memory-map';
import { formatPrintf } from '../printf';

const NUL = Uint8Array.of(0);
const NEWLINE = Uint8Array.of(10);
const EOF = -1;

function format(call: HostCall, formatIndex: number, source: ArgumentSource): Uint8Array {
  const readString = (address: number, limit: number, conversion: string): Uint8Array =>
    call.memory.string(address, `the argument of ${conversion}`, limit);
  const { bytes, stores } = formatPrintf(call.string(formatIndex), source, readString, call.kernel.convention.longSize);
  for (const store of stores) call.memory.check(store.address, store.size, 'write', 'the argument of %n');
  for (const store of stores) {
    call.memory.write(store.address, littleEndian(store.value, store.size), 'the argument of %n');
  }
  return bytes;
}

const list = (call: HostCall, index: number): ArgumentSource =>
  call.kernel.convention.variableArguments(call.u32(index), call.memory);

/** The stream of a FILE pointer; anything else is refused as a wild pointer would be. */
function streamOf(call: HostCall, index: number): OutputStream | undefined {
  const file = (call.u32(index) - call.kernel.map.files) / FILE_SIZE;
  if (file === 1) return 'stdout';
  return file === 2 ? 'stderr' : undefined;
}

function print(stream: OutputStream, source: 'rest' | 'list', formatIndex = 0): HostImplementation {
  return (call) => {
    const text = format(call, formatIndex, source === 'rest' ? call.rest : list(call, formatIndex + 1));
    call.kernel.print(text, stream);
    return text.length;
  };
}

function printToFile(text: (call: HostCall) => Uint8Array, fileIndex: number): HostImplementation {
  return (call) => {
    const stream = streamOf(call, fileIndex);
    if (stream === undefined) {
      const value = call.u32(fileIndex).toString(16);
      return { kind: 'misuse', message: `${call.name}: ${call.parameter(fileIndex)} 0x${value} is not an open stream` };
    }
    const bytes = text(call);
    call.kernel.print(bytes, stream);
    return bytes.length;
  };
}

/** snprintf: at most size - 1 bytes and a NUL; the result is the length without that limit. */
function formatInto(sizeIndex: number | undefined, formatIndex: number, source: 'rest' | 'list'): HostImplementation {
  return (call) => {
    const text = format(call, formatIndex, source === 'rest' ? call.rest : list(call, formatIndex + 1));
    const size = sizeIndex === undefined ? text.length + 1 : call.u32(sizeIndex);
    if (size > 0) call.write(0, concatenate([text.subarray(0, size - 1), NUL]));
    return text.length;
  };
}

const oneByte = (value: number): Uint8Array => Uint8Array.of(value & 0xff);

const fputc = printToFile((call) => oneByte(call.u32(0)), 1);

export const printImplementations: ImplementationTable = {
  printk: print('console', 'rest'),
  vprintk: print('console', 'list'),
  printf: print('stdout', 'rest'),
  vprintf: print('stdout', 'list'),
  fprintf: printToFile((call) => format(call, 1, call.rest), 0),
  vfprintf: printToFile((call) => format(call, 1, list(call, 2)), 0),
  sprintf: formatInto(undefined, 1, 'rest'),
  vsprintf: formatInto(undefined, 1, 'list'),
  snprintf: formatInto(1, 2, 'rest'),
  vsnprintf: formatInto(1, 2, 'list'),
  puts(call) {
    call.kernel.print(concatenate([call.string(0), NEWLINE]), 'stdout');
    return 0;
  },
  putchar(call) {
    call.kernel.print(oneByte(call.u32(0)), 'stdout');
    return call.u32(0) & 0xff;
  },
  fputs: printToFile((call) => call.string(0), 1),
  fputc(call) {
    const outcome = fputc(call);
    return typeof outcome === 'number' ? call.u32(0) & 0xff : outcome;
  },
  fwrite(call) {
    const size = call.u32(1);
    const length = size * call.u32(2);
    const outcome = printToFile(() => call.bytes(0, length), 3)(call);
    if (typeof outcome !== 'number') return outcome;
    return size === 0 ? 0 : call.u32(2);
  },
  fflush: (call) => (call.u32(0) === 0 || streamOf(call, 0) !== undefined ? 0 : EOF),
  k_str_out(call) {
    call.kernel.print(call.bytes(0, call.u32(1)), 'console');
    return undefined;
  },
};
