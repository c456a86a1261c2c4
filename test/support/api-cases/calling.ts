/**
 * Init, fini and exported functions, which the loader yields and does not call.
 */
import assert from 'node:assert/strict';
import { Errno } from '../../../lib/errors';
import type { LlextExtension } from '../../../lib/llext/extension';
import type { LlextSubsystem } from '../../../lib/llext/llext';
import { collectCalls } from '../../../lib/llext/llext-handlers';
import { buildElf, undefinedSymbol } from '../elf-builder';
import { errors } from '../load-bench';
import { plan, outside, open, later, newest } from './opened';
import type { Case } from './opened';

const base = (extension: LlextExtension): bigint => extension.mem[0];

export const calling: readonly Case[] = [
  {
    fn: 'llext_call_fn',
    result: 'OK',
    run(profile) {
      const { llext, extension } = open(profile);
      const { ret, calls } = collectCalls(llext.callFn(extension, 'entry'));
      assert.deepEqual(calls, [{ address: base(extension) + 1n, arguments: [] }]);
      return ret;
    },
  },
  ...(['EINVAL', 'ENOENT'] as const).map((result): Case => ({
    fn: 'llext_call_fn',
    result,
    profiles: result === 'EINVAL' ? ['SEED'] : later,
    run(profile) {
      const { llext, extension } = open(profile);
      const { ret, calls } = collectCalls(llext.callFn(extension, 'b'));
      assert.deepEqual(calls, [], 'b is global, but not exported');
      return ret;
    },
  })),
  {
    fn: 'llext_get_fn_table',
    result: 'OK',
    profiles: ['V41'],
    run(profile) {
      const { llext, extension } = open(profile);
      assert.deepEqual(llext.getFnTable(extension, true), { ret: 8, functions: [] });
      const functions = [base(extension) + 5n, base(extension) + 9n];
      assert.deepEqual(llext.getFnTable(extension, true, 8), { ret: 8, functions });
      assert.equal(llext.getFnTable(extension, false).ret, 4);
      return 0;
    },
  },
  {
    fn: 'llext_get_fn_table',
    result: 'EINVAL',
    profiles: ['V41'],
    run: (profile) => open(profile).llext.getFnTable(undefined, true).ret,
  },
  {
    fn: 'llext_get_fn_table',
    result: 'ENOMEM',
    profiles: ['V41'],
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.getFnTable(extension, true, 7).ret;
    },
  },
  {
    fn: 'llext_get_fn_table',
    result: 'EFAULT',
    profiles: ['V41'],
    run(profile) {
      const { it, llext, extension } = open(profile, { file: outside });
      const { ret } = llext.getFnTable(extension, true, 8);
      assert.deepEqual(errors(it.target.takeLog()), ['llext: bringup function 1 (0x8000101) outside text region']);
      assert.equal(llext.getFnTable(extension, true).ret, 8, 'the size is told all the same');
      return ret;
    },
  },
  {
    fn: 'llext_get_fn_table_entry',
    result: 'OK',
    profiles: newest,
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.getFnTableEntry(extension, true).ret, 8);
      const { ret, address } = llext.getFnTableEntry(extension, true, 1);
      assert.equal(address, base(extension) + 9n);
      return ret;
    },
  },
  {
    fn: 'llext_get_fn_table_entry',
    result: 'EINVAL',
    profiles: newest,
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.getFnTableEntry(undefined, true, 0).ret, -Errno.EINVAL);
      assert.equal(llext.getFnTableEntry(extension, false, 1).ret, -Errno.EINVAL);
      return llext.getFnTableEntry(extension, true, 2).ret;
    },
  },
  {
    fn: 'llext_get_fn_table_entry',
    result: 'EFAULT',
    profiles: newest,
    run(profile) {
      const { llext, extension } = open(profile, { file: outside });
      assert.equal(llext.getFnTableEntry(extension, true, 0).ret, 0);
      return llext.getFnTableEntry(extension, true, 1).ret;
    },
  },
  ...(['llext_bringup', 'llext_teardown'] as const).flatMap((fn): Case[] => {
    const calls = (llext: LlextSubsystem, extension: LlextExtension | undefined) =>
      collectCalls(fn === 'llext_bringup' ? llext.bringup(extension) : llext.teardown(extension));
    const kind = fn === 'llext_bringup' ? 'bringup' : 'teardown';
    return [
      {
        fn,
        result: 'OK',
        profiles: later,
        run(profile) {
          const { it, llext, extension } = open(profile);
          const result = calls(llext, extension);
          const expected = fn === 'llext_bringup' ? [5n, 9n] : [1n];
          assert.deepEqual(
            result.calls.map(({ address }) => address - base(extension)),
            expected,
          );
          assert.deepEqual(
            it.target.takeLog(),
            result.calls.map(({ address }) => `<dbg> llext: calling ${kind} function 0x${address.toString(16)}()`),
          );
          return result.ret;
        },
      },
      {
        fn,
        result: 'EINVAL',
        profiles: later,
        run(profile) {
          const { it, llext } = open(profile);
          const { ret } = calls(llext, undefined);
          assert.deepEqual(errors(it.target.takeLog()), ['llext: Failed to get table size: -22']);
          return ret;
        },
      },
      {
        fn,
        result: 'EFAULT',
        profiles: later,
        run(profile) {
          const { it, llext, extension } = open(profile, { file: outside });
          const result = calls(llext, extension);
          // Since 4.3 the first init function runs before the second is found to be wrong.
          const before = fn === 'llext_bringup' && profile !== 'V41' ? 1 : 0;
          assert.equal(result.calls.length, before);
          const index = fn === 'llext_bringup' ? 1 : 0;
          assert.deepEqual(errors(it.target.takeLog()), [
            `llext: ${kind} function ${index} (0x8000101) outside text region`,
            'llext: Failed to get function table: -14',
          ]);
          return result.ret;
        },
      },
    ];
  }),
  {
    fn: 'llext_bootstrap',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension } = open(profile);
      const calls = [...llext.bootstrap(extension, base(extension) + 1n, 7n)];
      assert.deepEqual(
        calls.map(({ address, arguments: values }) => [address - base(extension), ...values]),
        [[5n], [9n], [1n, 7n], [1n]],
      );
      const entry = `0x${(base(extension) + 1n).toString(16)}`;
      assert.ok(it.target.takeLog().includes(`<dbg> llext: calling entry function ${entry}(0x7)`));
      return 0;
    },
  },
  {
    fn: 'llext_bootstrap',
    result: 'OK',
    when: 'what fails is only logged',
    profiles: later,
    run(profile) {
      const wrong = open(profile, { file: outside });
      const calls = [...wrong.llext.bootstrap(wrong.extension, base(wrong.extension) + 1n, 0n)];
      assert.equal(calls.length, profile === 'V41' ? 0 : 1);
      assert.equal(errors(wrong.it.target.takeLog()).at(-1), 'llext: Failed to call init functions: -14');
      const onlyFini = buildElf({
        ...plan,
        symbols: [...(plan.symbols ?? []), undefinedSymbol('imported')],
        relocations: plan.relocations?.map((relocation) =>
          relocation.target === '.fini_array' ? { ...relocation, symbol: 'imported' } : relocation,
        ),
      });
      const late = open(profile, { file: onlyFini });
      assert.equal([...late.llext.bootstrap(late.extension, base(late.extension) + 1n, 0n)].length, 3);
      assert.equal(errors(late.it.target.takeLog()).at(-1), 'llext: Failed to call de-init functions: -14');
      return 0;
    },
  },
];
