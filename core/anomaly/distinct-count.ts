import * as z from 'zod';

const WORDS = 128;
const BITS = 32 * WORDS;

/** Counts how many different hashes it has met, in at most 1.5 KB of JSON. */
export const distinctCountSchema = z.strictObject({
  /** How many bits are set. */
  set: z.int().min(0).max(BITS),
  /** Empty as long as none is. */
  words: z.array(z.int().min(0).max(0xffffffff)).max(WORDS),
});

export type DistinctCount = z.infer<typeof distinctCountSchema>;

export function noneMet(): DistinctCount {
  return { set: 0, words: [] };
}

/** @param hash 32 bits, well mixed. */
export function addDistinct(counter: DistinctCount, hash: number): void {
  if (counter.words.length < WORDS) counter.words = Array.from({ length: WORDS }, () => 0);
  const word = (hash >>> 5) % WORDS;
  const before = counter.words[word] ?? 0;
  const after = (before | (1 << (hash & 31))) >>> 0;
  if (after === before) return;
  counter.words[word] = after;
  counter.set += 1;
}

/** How many there were, by linear counting (Whang, Vander-Zanden and Taylor 1990): within 2 % up to 10,000. */
export function distinctCount({ set }: DistinctCount): number {
  return Math.round(-BITS * Math.log((BITS - Math.min(set, BITS - 1)) / BITS));
}
