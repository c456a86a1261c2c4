/** Every implementation that the export table's rows refer to, by its id. */
import { mergedTable } from '../emulator/merged-table';
import { floatImplementations } from './host/eabi-float';
import { integerImplementations } from './host/eabi-integer';
import type { ImplementationTable } from './host-call';
import { kernelImplementations } from './host/kernel-services';
import { memoryImplementations } from './host/memory';
import { printImplementations } from './host/print';
import { stdlibImplementations } from './host/stdlib';
import { stringImplementations } from './host/string';

export const implementations: ImplementationTable = mergedTable(
  printImplementations,
  memoryImplementations,
  stringImplementations,
  stdlibImplementations,
  kernelImplementations,
  integerImplementations,
  floatImplementations,
);
