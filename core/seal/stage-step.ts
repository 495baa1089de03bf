import type { SealParts } from './parts.ts';
import type { SealState } from './seal-state.ts';

type Staged = Pick<SealState, 'workspaceId' | 'size' | 'root'>;

const LENGTH_BYTES = 2;

/**
 * Puts the entries of a step where they can be found should the sealer die before they are published. With the
 * published tree they give every tile and bundle of the step, to the byte; and whether they do, the signed root shows,
 * after which the object is named. So it needs no lock.
 *
 * The object: each entry after its length, 16 bits big-endian, as in an entry bundle.
 */
export async function stageStep(
  { staging }: SealParts,
  step: Staged,
  entries: readonly Uint8Array[],
): Promise<void> {
  const bytes = Buffer.alloc(entries.reduce((total, entry) => total + LENGTH_BYTES + entry.length, 0));
  let position = 0;
  for (const entry of entries) {
    position = bytes.writeUInt16BE(entry.length, position);
    bytes.set(entry, position);
    position += entry.length;
  }
  await staging.put(stagedKey(step), bytes);
}

/** The last `count` entries that were staged for a tree; undefined when they are not there. Not verified. */
export async function stagedEntries(
  { staging }: SealParts,
  step: Staged,
  count: number,
): Promise<readonly Uint8Array[] | undefined> {
  const bytes = await staging.read(stagedKey(step));
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  for (let position = 0; position + LENGTH_BYTES <= bytes.length; ) {
    const start = position + LENGTH_BYTES;
    position = start + view.getUint16(position);
    entries.push(bytes.subarray(start, position));
  }
  return entries.length < count ? undefined : entries.slice(entries.length - count);
}

function stagedKey({ workspaceId, size, root }: Staged): string {
  return `${workspaceId}/${size}-${root}`;
}
