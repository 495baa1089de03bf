/**
 * A hash of 32 bits as a whole number: FNV-1a over the UTF-16 code units, and the finalizer of MurmurHash3. It stands
 * for a name of any length in a bounded state. It is not for secrecy, and whoever tries can find two names with one hash.
 *
 * @param seed the hash of what goes before: a name may consist of several parts.
 */
export function shortHash(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) | 0;
  for (let index = 0; index < text.length; index += 1) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
