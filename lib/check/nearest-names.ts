/** Which known names an unknown one may have been meant to be. */

const MAX_SUGGESTIONS = 3;

/** Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, beforeLast[j - 2] + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/** The name of a function that C++ declares without extern "C": _Z6printkPKcz is printk(char const*, ...) (Itanium C++ ABI 5.1). */
export function nameWithoutCpp(name: string): string | undefined {
  const [all, digits] = /^_Z(\d{1,4})/.exec(name) ?? [];
  if (all === undefined) return undefined;
  const plain = name.slice(all.length, all.length + Number(digits));
  return plain.length === Number(digits) ? plain : undefined;
}

export function nearestNames(name: string, known: readonly string[]): string[] {
  const withoutCpp = nameWithoutCpp(name);
  if (withoutCpp !== undefined && known.includes(withoutCpp)) return [withoutCpp];
  // The compiler's own names are alike but for the letters that count, and nobody types them.
  const limit = name.startsWith('__') ? 1 : Math.max(1, Math.floor(name.length / 3));
  const plain = withoutStyle(name);
  return known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= limit || withoutStyle(candidate) === plain)
    .map((candidate) => ({
      candidate,
      // Only case or underscores differ: nearer than any other word.
      distance: withoutStyle(candidate) === plain ? 0 : editDistance(name, candidate),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ candidate }) => candidate);
}

/** 'k_uptime_get', '_kUptimeGet' and 'K_UPTIME_GET' are one word. */
export function withoutStyle(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
