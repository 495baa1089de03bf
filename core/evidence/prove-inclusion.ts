import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type AuditEvent, eventId, type RowPosition } from '../audit/event.ts';
import { rowHash } from '../audit/row.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import { type Hash, leafHash } from '../transparency/merkle.ts';
import { inclusionProof } from '../transparency/proofs.ts';
import { formatTlogProof } from '../transparency/tlog-proof.ts';
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
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:read');
  const proven = await proveEvent(parts, workspaceId, position);
  await parts.trail.commit(originOf(context), [proofRead('audit.proof_read', position)]);
  return proven;
}

/** The evidence for one event in one file: its row and the proof that it is in the log (C2SP tlog-proof). */
export async function rowEvidence(
  parts: EvidenceParts,
  context: RequestContext,
  position: RowPosition,
): Promise<string> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:export');
  const proven = await proveEvent(parts, workspaceId, position);
  await parts.trail.commit(originOf(context), [proofRead('audit.evidence_exported', position)]);
  return tlogProofOf(proven);
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
  return {
    position,
    leafIndex,
    bytes,
    leafHash: leafHash(bytes),
    hashes: await inclusionProof(published.nodes, leafIndex, published.checkpoint.size),
    checkpoint: published.note,
  };
}

async function proveEvent(
  { ledger, log }: EvidenceParts,
  workspaceId: string,
  position: RowPosition,
): Promise<ProvenRow> {
  const stored = await ledger.row({ workspaceId, lane: position.lane }, position.seq);
  const published = await openLog(log, workspaceId);
  const proven = await proveRow(log, published, position);
  if (proven === undefined) {
    if (stored === undefined) throw notFound('event');
    throw notSealed(`The event ${eventId(position)} is not sealed yet.`);
  }
  // What the table says now must not be vouched for by a proof of what was sealed.
  if (stored !== undefined && rowHash(stored.bytes) !== rowHash(proven.bytes)) throw changedSince(position);
  return proven;
}

function changedSince(position: RowPosition): VaultError {
  return new VaultError(
    'internal',
    `The event ${eventId(position)} is not the one that was sealed: somebody has changed it. Tell your operator, and take an evidence bundle, whose rows come from the sealed log.`,
  );
}

function proofRead(action: AuditEvent['action'], position: RowPosition): AuditEvent {
  return {
    action,
    entity: { type: 'event', id: eventId(position) },
    result: 'success',
  };
}

/** Reads an event's public id, `<lane>-<seq>`. */
export function readEventId(text: string): RowPosition | undefined {
  const [, lane, seq] = /^(0|[1-9]\d{0,4})-([1-9]\d{0,14})$/.exec(text) ?? [];
  return lane === undefined || seq === undefined ? undefined : { lane: Number(lane), seq: Number(seq) };
}
