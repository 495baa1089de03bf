import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { eventId, type RowPosition } from '../audit/event.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import { type Hash, leafHash } from '../transparency/merkle.ts';
import { inclusionProof } from '../transparency/proofs.ts';
import { formatTlogProof } from '../transparency/tlog-proof.ts';
import { readLeaf } from './choose-rows.ts';
import type { EvidenceParts, SealedLogs } from './evidence-parts.ts';
import { findLeaf } from './find-leaf.ts';
import { notSealed, openLog } from './open-log.ts';
import { readEntries } from './read-entries.ts';

export interface InclusionProof {
  readonly position: RowPosition;
  readonly leafIndex: number;
  /** The row's hash `h`. */
  readonly leafHash: Hash;
  /** RFC 6962 section 2.1.1, from the leaf's sibling up. */
  readonly hashes: readonly Hash[];
  /** The signed checkpoint that they lead to. */
  readonly checkpoint: string;
}

/** A row that is in the published tree, with what proves it. */
export interface ProvenRow extends InclusionProof {
  /** Its exact bytes, as they were sealed. */
  readonly bytes: Uint8Array;
}

/** Proves that an event is in the workspace's log. */
export async function proveInclusion(
  parts: EvidenceParts,
  context: RequestContext,
  position: RowPosition,
): Promise<InclusionProof> {
  authorize(context.principal, 'audit:read');
  return proveEvent(parts, context, position, 'audit.proof_read');
}

/** The evidence for one event in one file: its row and the proof that it is in the log (C2SP tlog-proof). */
export async function rowEvidence(
  parts: EvidenceParts,
  context: RequestContext,
  position: RowPosition,
): Promise<string> {
  authorize(context.principal, 'audit:export');
  return tlogProofOf(await proveEvent(parts, context, position, 'audit.evidence_exported'));
}

export function tlogProofOf({ bytes, leafIndex, hashes, checkpoint }: ProvenRow): string {
  return formatTlogProof({ extra: bytes, index: leafIndex, hashes, checkpoint });
}

/** @returns `undefined` while the row is not in the published tree. */
export async function proveRow(
  log: SealedLogs,
  published: PublishedLog,
  position: RowPosition,
): Promise<ProvenRow | undefined> {
  const leafIndex = await findLeaf(log, published, position);
  if (leafIndex === undefined) return undefined;
  const [bytes = new Uint8Array()] = await readEntries(published, leafIndex, leafIndex + 1);
  const { row } = readLeaf(bytes, leafIndex);
  if (row !== undefined && (row.lane !== position.lane || row.seq !== position.seq))
    throw misplaced(position);
  return {
    position,
    leafIndex,
    bytes,
    leafHash: leafHash(bytes),
    hashes: await inclusionProof(published.nodes, leafIndex, published.checkpoint.size),
    checkpoint: published.note,
  };
}

/**
 * The row as it was sealed, whatever the table says of it now; where that is something else, the event says so: whoever
 * changed a row must not keep its proof from those who ask for it.
 */
async function proveEvent(
  { ledger, log, trail }: EvidenceParts,
  context: RequestContext,
  position: RowPosition,
  action: 'audit.proof_read' | 'audit.evidence_exported',
): Promise<ProvenRow> {
  const { workspaceId } = context.principal;
  const stored = await ledger.row({ workspaceId, lane: position.lane }, position.seq);
  const published = await openLog(log, workspaceId);
  const proven = await proveRow(log, published, position);
  if (proven === undefined) {
    if (stored === undefined) throw notFound('event');
    throw notSealed(`The event ${eventId(position)} is not sealed yet.`);
  }
  const isChanged = stored !== undefined && Buffer.compare(stored.bytes, proven.bytes) !== 0;
  await trail.commit(originOf(context), [
    {
      action,
      entity: { type: 'event', id: eventId(position) },
      result: isChanged ? 'failure' : 'success',
      ...(isChanged ? { detail: { reason: 'changed_since_sealed' } } : {}),
    },
  ]);
  return proven;
}

/** Where rows stand in the tree is noted in a table, which somebody may have spoiled. */
function misplaced(position: RowPosition): VaultError {
  return new VaultError(
    'internal',
    `The place of the event ${eventId(position)} in the log was spoiled. Tell your operator; an evidence bundle still has the event.`,
  );
}

/** Reads an event's public id, `<lane>-<seq>`. */
export function readEventId(text: string): RowPosition | undefined {
  const [, lane, seq] = /^(0|[1-9]\d{0,4})-([1-9]\d{0,14})$/.exec(text) ?? [];
  return lane === undefined || seq === undefined ? undefined : { lane: Number(lane), seq: Number(seq) };
}
