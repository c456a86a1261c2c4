/**
 * Processor time (user and system), because that of the clock tells on a shared machine how busy the others are: of this process with all
 * its threads (so V8's compilers in the background count), and of child processes that have ended, by getrusage(2).
 */
import koffi from 'koffi';
import { findTool } from '../../test/support/tools';

/** Of this process so far, in milliseconds. */
export function ownMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const RUSAGE_CHILDREN = -1;

/** Of the child processes so far; undefined where there is no such C library. */
export function childrenClock(): (() => number) | undefined {
  const path = findTool('libc.so.6');
  if (path === undefined) return undefined;
  const getrusage = koffi.load(path).func('int getrusage(int who, _Out_ int64_t *usage)');
  return () => {
    // struct rusage: ru_utime and ru_stime, seconds and microseconds each, and 14 longs.
    const usage = new BigInt64Array(18);
    if (getrusage(RUSAGE_CHILDREN, usage) !== 0) throw new Error('getrusage fails');
    const [userSeconds, user, systemSeconds, system] = Array.from(usage, Number);
    return (userSeconds + systemSeconds) * 1000 + (user + system) / 1000;
  };
}
