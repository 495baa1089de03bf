import * as z from 'zod';
import { shortHash } from './short-hash.ts';

/**
 * Which secrets an actor has opened, in bounded room: two Bloom filters of 1,280 bits (Bloom 1970). The younger one
 * takes what is new; when it has taken 200 secrets it becomes the older one, and the older one is forgotten. So the last
 * 200 to 400 distinct secrets are known. About one secret in seven is taken for known though it is not; never the other
 * way round.
 */
const CHARACTERS = 256;
const BITS_A_CHARACTER = 5;
const BITS = CHARACTERS * BITS_A_CHARACTER;
const CAPACITY = 200;
/** The character with no bit set; 32 characters from here on are all printable, and none is escaped in JSON. */
const ZERO = '0'.charCodeAt(0);
const EMPTY = '0'.repeat(CHARACTERS);

export const knownSecretsSchema = z.strictObject({
  younger: z.string().length(CHARACTERS),
  older: z.string().length(CHARACTERS),
  /** How many the younger one has taken. */
  taken: z.int().min(0),
});

export type KnownSecrets = z.infer<typeof knownSecretsSchema>;

export function noSecrets(): KnownSecrets {
  return { younger: EMPTY, older: EMPTY, taken: 0 };
}

/** Remembers a secret. @returns whether it was not known. */
export function learnSecret(known: KnownSecrets, id: string): boolean {
  const hash = shortHash(id);
  const first = (hash & 0xffff) % BITS;
  const second = (hash >>> 16) % BITS;
  if (has(known.younger, first) && has(known.younger, second)) return false;
  const isNew = !(has(known.older, first) && has(known.older, second));
  if (known.taken === CAPACITY) {
    known.older = known.younger;
    known.younger = EMPTY;
    known.taken = 0;
  }
  known.younger = withBit(withBit(known.younger, first), second);
  known.taken += 1;
  return isNew;
}

function has(filter: string, bit: number): boolean {
  return (
    (((filter.charCodeAt(Math.trunc(bit / BITS_A_CHARACTER)) - ZERO) >> (bit % BITS_A_CHARACTER)) & 1) === 1
  );
}

function withBit(filter: string, bit: number): string {
  const at = Math.trunc(bit / BITS_A_CHARACTER);
  const character = (filter.charCodeAt(at) - ZERO) | (1 << (bit % BITS_A_CHARACTER));
  return filter.slice(0, at) + String.fromCharCode(ZERO + character) + filter.slice(at + 1);
}
