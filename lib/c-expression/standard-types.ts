/** Types of stddef.h and stdint.h (C11 7.19, 7.20) for programs whose debug information has them not, since nothing in them uses them. */
import type { Type } from '../dwarf/model';
import type { BasicTypeName, BasicTypes } from '../dwarf/value-types';

const names: Readonly<Record<string, BasicTypeName>> = {
  int8_t: 'signed char',
  uint8_t: 'unsigned char',
  int16_t: 'short',
  uint16_t: 'unsigned short',
  int32_t: 'int',
  uint32_t: 'unsigned int',
  int64_t: 'long long',
  uint64_t: 'unsigned long long',
};

const wordSized: Readonly<Record<string, readonly [four: BasicTypeName, eight: BasicTypeName]>> = {
  size_t: ['unsigned int', 'unsigned long'],
  ptrdiff_t: ['int', 'long'],
  intptr_t: ['int', 'long'],
  uintptr_t: ['unsigned int', 'unsigned long'],
};

export function standardType(name: string, types: BasicTypes, addressSize: 4 | 8): Type | undefined {
  const word = Object.hasOwn(wordSized, name) ? wordSized[name][addressSize === 4 ? 0 : 1] : undefined;
  const basic = Object.hasOwn(names, name) ? names[name] : word;
  if (basic === undefined) return undefined;
  const target = types[basic];
  return { kind: 'typedef', name, displayName: name, target, byteSize: target.byteSize, declaration: undefined };
}
