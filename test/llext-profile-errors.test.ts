/**
 * Every row of the table of errors in specification 1.3, in every version: where it exists and where it does not.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { profileNames } from '../lib/llext/profile';
import { bench, errors, image } from './support/load-bench';
import { errorCases } from './support/profile-error-cases';

for (const { row, file, config, options, exports, outcomes } of errorCases) {
  test(`1.3: ${row}`, () => {
    profileNames.forEach((profile, i) => {
      const it = bench(image({ profile, ...config }, exports));
      const { ret, log, fault } = it.load(file, options);
      assert.equal(fault, undefined, profile);
      const seen = ret === 0 ? 'loads' : [-ret, errors(log)[0]];
      assert.deepEqual(seen, outcomes[i], `${profile}\n${log.join('\n')}`);
    });
  });
}
