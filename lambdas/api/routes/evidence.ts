import * as z from 'zod';
import { eventId } from '../../../core/audit/event.ts';
import { collectEvidence, type EvidencePosition } from '../../../core/evidence/collect-evidence.ts';
import { proveConsistency } from '../../../core/evidence/prove-consistency.ts';
import { proveInclusion, readEventId, rowEvidence } from '../../../core/evidence/prove-inclusion.ts';
import { MAX_PROVEN_ROWS, type ProvenLeaf, proveRows } from '../../../core/evidence/prove-rows.ts';
import { readSignedCheckpoint } from '../../../core/evidence/read-checkpoint.ts';
import { zip } from '../../../core/evidence/zip.ts';
import { notFound } from '../../../core/kernel/errors.ts';
import type { Hash } from '../../../core/transparency/merkle.ts';
import { guarded } from '../http/route.ts';
import { csv, csvText, nextLink } from './csv.ts';
import { cursor, from, inclusiveTimes, timeRange, to } from './fields.ts';
import { paging } from './paging.ts';

const treeSize = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be the size of a tree, from 1 on')
  .transform(Number);

const base64Hash = z.string();

const PROOF_COLUMNS = [
  'id',
  'createdAt',
  'actorType',
  'actorId',
  'action',
  'entityType',
  'entityId',
  'ipAddress',
  'result',
  'leafIndex',
  'leafHash',
  'treeSize',
  'proof',
  'row',
  'checkpoint',
];

export const evidenceRoutes = [
  guarded({
    method: 'GET',
    path: '/audit/checkpoint',
    summary: 'The newest signed head of the audit log (C2SP tlog-checkpoint), and the key to verify it with',
    permission: 'audit:read',
    action: 'audit.checkpoint_read',
    responses: [
      {
        status: 200,
        description: 'The signed note as text, and a C2SP verifier key',
        schema: z.object({ checkpoint: z.string(), verifierKey: z.string() }),
      },
    ],
    handle: async (_input, context, vault) => ({
      status: 200,
      json: await readSignedCheckpoint(vault, context),
    }),
  }),
  guarded({
    method: 'GET',
    path: '/audit/proof/inclusion',
    summary: 'Proves that an event is in the audit log (RFC 6962, section 2.1.1)',
    permission: 'audit:read',
    action: 'audit.proof_read',
    query: z.strictObject({ eventId: z.string() }),
    responses: [
      {
        status: 200,
        description: 'Hashes in base64, from the leaf’s sibling up, and the checkpoint that they lead to',
        schema: z.object({
          eventId: z.string(),
          leafIndex: z.int(),
          leafHash: base64Hash,
          hashes: z.array(base64Hash),
          checkpoint: z.string(),
        }),
      },
    ],
    handle: async ({ query }, context, vault) => {
      const proof = await proveInclusion(vault, context, position(query.eventId));
      const { leafIndex, leafHash, hashes, checkpoint } = proof;
      return {
        status: 200,
        json: {
          eventId: query.eventId,
          leafIndex,
          leafHash: base64(leafHash),
          hashes: hashes.map(base64),
          checkpoint,
        },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/audit/proof/consistency',
    summary: 'Proves that the audit log only grew between two sizes (RFC 6962, section 2.1.2)',
    permission: 'audit:read',
    action: 'audit.proof_read',
    query: z.strictObject({ from: treeSize, to: treeSize.optional() }),
    responses: [
      {
        status: 200,
        description: 'Hashes in base64; without "to", up to the newest checkpoint',
        schema: z.object({ from: z.int(), to: z.int(), hashes: z.array(base64Hash) }),
      },
    ],
    handle: async ({ query }, context, vault) => {
      const { hashes, ...sizes } = await proveConsistency(vault, context, query);
      return { status: 200, json: { ...sizes, hashes: hashes.map(base64) } };
    },
  }),
  guarded({
    method: 'GET',
    path: '/audit/evidence/event',
    summary:
      'One event as evidence: its row and the proof that it is in the log, in one file (C2SP tlog-proof)',
    permission: 'audit:export',
    action: 'audit.evidence_exported',
    query: z.strictObject({ eventId: z.string() }),
    responses: [
      {
        status: 200,
        description: 'A tlog-proof; its extra data are the exact bytes of the row',
        contentType: 'text/plain',
      },
    ],
    handle: async ({ query }, context, vault) => {
      const wanted = position(query.eventId);
      return {
        status: 200,
        headers: {
          'Content-Type': 'text/plain; charset=utf-8',
          'Content-Disposition': `attachment; filename="${eventId(wanted)}.tlog-proof"`,
        },
        text: await rowEvidence(vault, context, wanted),
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/audit/evidence',
    summary: 'An evidence bundle for a span of time, to be verified offline with lockzero-verify',
    permission: 'audit:export',
    action: 'audit.evidence_exported',
    query: z.strictObject({
      from: from.optional(),
      to: to.optional(),
      action: z.string().max(64).optional(),
      actorId: z.string().max(300).optional(),
      entityId: z.string().max(300).optional(),
      keptSize: treeSize.optional(),
      cursor: cursor.optional(),
    }),
    responses: [
      {
        status: 200,
        description: 'A zip file with at most 10,000 rows; Link rel="next" when there are more',
        contentType: 'application/zip',
      },
    ],
    handle: async ({ query }, context, vault) => {
      const { action, actorId, entityId, keptSize } = query;
      const span = timeRange(query);
      const pages = paging<EvidencePosition>(vault, context, 'GET /audit/evidence', query);
      const { after } = await pages.after();
      const filter = { action, actorId, entityId };
      const { files, next } = await collectEvidence(vault, context, { ...span, filter, keptSize }, after);
      const filters = {
        ...inclusiveTimes(span),
        ...defined({ ...filter, keptSize: keptSize === undefined ? undefined : String(keptSize) }),
      };
      return {
        status: 200,
        headers: {
          'Content-Type': 'application/zip',
          'Content-Disposition': 'attachment; filename="evidence.zip"',
          ...nextLink('/audit/evidence', filters, await pages.nextCursor(next)),
        },
        bytes: zip(files),
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/audit/evidence/rows',
    summary: `Audit events of a span of time as CSV with a proof for each, at most ${MAX_PROVEN_ROWS.toLocaleString('en')} rows`,
    permission: 'audit:export',
    action: 'audit.evidence_exported',
    query: z.strictObject({ from: from.optional(), to: to.optional(), cursor: cursor.optional() }),
    responses: [
      {
        status: 200,
        description:
          'CSV (RFC 4180): hashes in hex, the exact row as JSON, the checkpoint in base64; Link rel="next" when there is more',
        contentType: 'text/csv',
      },
    ],
    handle: async ({ query }, context, vault) => {
      const span = timeRange(query);
      const pages = paging<EvidencePosition>(vault, context, 'GET /audit/evidence/rows', query);
      const { after } = await pages.after();
      const { rows, checkpoint, treeSize: size, next } = await proveRows(vault, context, span, after);
      const note = Buffer.from(checkpoint).toString('base64');
      return csv(
        'evidence.csv',
        PROOF_COLUMNS,
        rows.map((row) => proofLine(row, size, note)),
        '/audit/evidence/rows',
        inclusiveTimes(span),
        await pages.nextCursor(next),
      );
    },
  }),
];

function proofLine(leaf: ProvenLeaf, size: number, checkpoint: string): string[] {
  const { row, index, hash, hashes, bytes } = leaf;
  return [
    eventId(row),
    row.ts,
    row.actor.type,
    row.actor.id,
    row.action,
    row.entity.type,
    row.entity.id,
    row.ip,
    row.result,
    String(index),
    hex(hash),
    String(size),
    hashes.map(hex).join(' '),
    Buffer.from(bytes).toString('utf8'),
    checkpoint,
  ].map(csvText);
}

/** An id that could not be one is as absent as any other that does not exist. */
function position(id: string) {
  const found = readEventId(id);
  if (found === undefined) throw notFound('event');
  return found;
}

function defined(filter: { readonly [name: string]: string | undefined }): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function base64(hash: Hash): string {
  return Buffer.from(hash).toString('base64');
}

function hex(hash: Hash): string {
  return Buffer.from(hash).toString('hex');
}
