/**
 * Symbol link identifiers (CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID, specification 3.4): the first bytes of the SHA-256 of
 * a symbol's name, as many as a pointer has, read as a big-endian number. SHA-256 is FIPS 180-4, 6.2.
 */

const BLOCK = 64;

/** K: the first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
const roundConstants = fractions(64, Math.cbrt);
/** H(0): those of the square roots of the first 8 primes (5.3.3). */
const initialHash = fractions(8, Math.sqrt);

function fractions(count: number, root: (value: number) => number): Int32Array {
  const words: number[] = [];
  for (let candidate = 2; words.length < count; candidate++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) isPrime &&= candidate % divisor !== 0;
    if (isPrime) words.push((root(candidate) % 1) * 2 ** 32);
  }
  return Int32Array.from(words, (word) => Math.trunc(word) | 0);
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** 5.1.1: a bit 1, zeros, and the length in bits as 64-bit number. */
function padded(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  bytes.set(message);
  bytes[message.length] = 0x80;
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, BigInt(message.length) * 8n);
  return bytes;
}

export function sha256(message: Uint8Array): Uint8Array {
  const bytes = padded(message);
  const view = new DataView(bytes.buffer);
  const H = initialHash.slice();
  const W = new Int32Array(64);
  for (let block = 0; block < bytes.length; block += BLOCK) {
    for (let t = 0; t < 64; t++) {
      if (t < 16) {
        W[t] = view.getInt32(block + t * 4);
        continue;
      }
      const [w15, w2] = [W[t - 15], W[t - 2]];
      const sigma0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3);
      const sigma1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10);
      W[t] = (sigma1 + W[t - 7] + sigma0 + W[t - 16]) | 0;
    }
    compress(H, W);
  }
  const digest = new Uint8Array(32);
  H.forEach((word, i) => new DataView(digest.buffer).setInt32(i * 4, word));
  return digest;
}

/** 6.2.2, steps 2 to 4. */
function compress(H: Int32Array, W: Int32Array): void {
  let [a, b, c, d, e, f, g, h] = H;
  for (let t = 0; t < 64; t++) {
    const Sigma1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const T1 = (h + Sigma1 + ((e & f) ^ (~e & g)) + roundConstants[t] + W[t]) | 0;
    const Sigma0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const T2 = (Sigma0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, h] = [(T1 + T2) | 0, a, b, c, (d + T1) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (H[i] += word));
}

export function slidOf(name: string, pointerSize: 4 | 8): bigint {
  const digest = new DataView(sha256(new TextEncoder().encode(name)).buffer);
  return pointerSize === 8 ? digest.getBigUint64(0) : BigInt(digest.getUint32(0));
}
