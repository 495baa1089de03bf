import { readManifest } from '../archive/read-manifests.ts';
import { type TimeRange, timesOf } from '../audit/date-range.ts';
import { canonicalJson, type Json } from '../kernel/canonical-json.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { logKeys, type PublishedLog } from '../seal/published-log.ts';
import type { Hash } from '../transparency/merkle.ts';
import { subtrees } from '../transparency/proofs.ts';
import { formatVerifierKey, openNote } from '../transparency/signed-note.ts';
import { type EvidenceFilter, isFilter, type Leaf, leafLines } from './choose-rows.ts';
import { earlierSeals } from './earlier-seals.ts';
import type { SealedLogs } from './evidence-parts.ts';
import { neighbours } from './neighbours.ts';

/** Names and contents. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

interface Content extends TimeRange {
  readonly filter: EvidenceFilter;
  /** The index of the first leaf. */
  readonly begin: number;
  readonly leaves: readonly Leaf[];
  readonly keptSize: number | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export const BUNDLE_FORMAT = 'lockzero-evidence/1';

/** Manifests in one bundle: two months of days. */
const MAX_MANIFESTS = 62;
const DAY_CHARACTERS = 10;

/** The files of an evidence bundle, as `docs/audit-format.md` names them. */
export async function bundleFiles(
  log: SealedLogs,
  published: PublishedLog,
  content: Content,
): Promise<BundleFiles> {
  const { begin, leaves, filter, keptSize } = content;
  const { workspaceId, checkpoint, note, nodes } = published;
  const end = begin + leaves.length;
  const files = new Map<string, Uint8Array>([
    [
      'bundle.json',
      json({
        format: BUNDLE_FORMAT,
        origin: checkpoint.origin,
        workspaceId,
        ...timesOf(content),
        ...filterOf(filter),
        firstLeaf: begin,
        leaves: leaves.length,
        treeSize: checkpoint.size,
        createdAt: timestamp(content.createdAt),
      }),
    ],
    ['checkpoint', Buffer.from(note)],
    ['leaves.ndjson', leafLines(leaves, filter)],
    [
      'range-proof.json',
      json({
        left: (await nodes.nodes(subtrees(0, begin))).map(base64),
        right: (await nodes.nodes(subtrees(end, checkpoint.size))).map(base64),
      }),
    ],
    ['verifier-key', Buffer.from(`${await verifierKeyOf(log, published)}\n`)],
  ]);
  // They hold whole rows, and may be of those that the filter leaves out.
  const around = isFilter(filter) ? [] : await neighbours(log, published, leaves);
  for (const [name, proof] of around) files.set(`neighbours/${name}.tlog-proof`, Buffer.from(proof));
  for (const seal of await earlierSeals(log, published, begin, keptSize)) {
    files.set(seal.path, Buffer.from(seal.note));
    const { from, to } = seal;
    files.set(`${seal.path}.consistency.json`, json({ from, to, hashes: seal.hashes.map(base64) }));
  }
  for (const day of daysOf(leaves, content)) {
    const found = await readManifest(log, workspaceId, day);
    if (found === undefined) continue;
    files.set(`manifests/${day}.json`, found.bytes);
    files.set(`manifests/${day}.note`, Buffer.from(found.note));
  }
  return files;
}

/** The key that signed the checkpoint: it stays the same when another one signs the next. */
async function verifierKeyOf(log: SealedLogs, { checkpoint, note }: PublishedLog): Promise<string> {
  const [signer] = openNote(note, await logKeys(log, checkpoint.origin)).by;
  if (signer === undefined) throw new TypeError('A note that was opened has a signer.');
  return formatVerifierKey(signer);
}

function filterOf(filter: EvidenceFilter): { readonly filter?: Json } {
  const set = Object.entries(filter).filter(([, value]) => value !== undefined);
  return isFilter(filter) ? { filter: Object.fromEntries(set) as Json } : {};
}

/** Some leaves may lie outside the span: days that have no other rows are not of it, and may not be over yet. */
function daysOf(leaves: readonly Leaf[], { from = -Infinity, to = Infinity }: TimeRange): string[] {
  const rows = leaves.flatMap(({ row }) => row ?? []);
  const within = rows.filter(({ ts }) => Date.parse(ts) >= from && Date.parse(ts) < to);
  const days = within.map(({ ts }) => ts.slice(0, DAY_CHARACTERS));
  return [...new Set(days)].sort().slice(0, MAX_MANIFESTS);
}

function json(value: Json): Uint8Array {
  return Buffer.from(canonicalJson(value));
}

function base64(hash: Hash): string {
  return Buffer.from(hash).toString('base64');
}
