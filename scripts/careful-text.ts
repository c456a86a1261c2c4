/** Of the generated text of careful operations: the names that it may use, and what of it is not needed. */

/** V bits that nobody asks for need not be computed. */
export function withoutUnused(lines: readonly string[]): string {
  for (let kept = [...lines]; ;) {
    const text = kept.join('\n');
    const needed = kept.filter((line) => {
      const name = /^let (\w+_) = .*;$/.exec(line)?.[1];
      return name === undefined || text.split(new RegExp(`\\b${name}(?!\\w)`)).length > 2;
    });
    if (needed.length === kept.length) return text;
    kept = needed;
  }
}

export const helpers = [
  'addV',
  'andV',
  'anyV',
  'chooseV',
  'clzV',
  'equalV',
  'lessV',
  'mulV',
  'orV',
  'shiftedV',
  'subV',
];
export const parameters = ['core', 'safety', 'code', 'k', 'len', 'r', 'vr'];
export const isUsed = (name: string, body: string): boolean => new RegExp(`\\b${name}\\b`).test(body);
