import { concurrently } from '../kernel/concurrently.ts';
import { unavailable } from '../kernel/errors.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import { decodeEntries, entriesPath, TILE_WIDTH } from '../transparency/tiles.ts';

/** Bundles read at once. */
const WIDTH = 8;

/** Exact row bytes by leaf, from `begin` up to but without `end`, in the order of the leaves. */
export async function readEntries(log: PublishedLog, begin: number, end: number): Promise<Uint8Array[]> {
  const first = Math.floor(begin / TILE_WIDTH);
  const bundles = Array.from({ length: Math.ceil(end / TILE_WIDTH) - first }, (_, at) => first + at);
  const entries = await concurrently(bundles, WIDTH, (index) => readBundle(log, index));
  return entries.flat().slice(begin - first * TILE_WIDTH, end - first * TILE_WIDTH);
}

async function readBundle({ read, checkpoint }: PublishedLog, index: number): Promise<Uint8Array[]> {
  const width = Math.min(TILE_WIDTH, checkpoint.size - index * TILE_WIDTH);
  const path = entriesPath(index, width);
  const bytes = await read(path);
  const entries = bytes === undefined ? [] : decodeEntries(bytes);
  if (entries.length !== width) throw unavailable(`The log cannot be read at ${path} right now. Try again.`);
  return entries;
}
