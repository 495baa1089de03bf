import * as z from 'zod';
import type { BreakReason } from '../audit/verify-lane.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.int().min(0);
const count = z.int().min(0);

/** A row that others are checked after; of `seq` 0, where its lane starts. */
const anchor = z.strictObject({
  seq: z.int().min(0),
  hash: z.string(),
  storedHash: z.string().exactOptional(),
  ts: z.string(),
});
const anchors = z.record(z.string(), anchor);

/** The tree over the first `size` leaves, and for each lane the next row that becomes a leaf. */
const tree = z.strictObject({
  size: count,
  frontier: z.array(hash),
  next: z.record(z.string(), z.int().min(1)),
});

/** The day and the SHA-256 of a daily manifest. */
const manifest = z.strictObject({ day: z.iso.date(), sha256: hash });

const found = z.strictObject({
  lane: z.int(),
  seq: z.int(),
  reason: z.custom<BreakReason>((value) => typeof value === 'string'),
  entity: z.strictObject({ kind: z.string(), id: z.string() }).exactOptional(),
});

const kind = z.enum(['incremental', 'complete']);

/** What a run has looked at so far, and what it found. */
const findings = z.strictObject({
  rows: count,
  entities: count,
  leaves: count,
  archivedRows: count,
  /** All breaks; `breaks` holds the first of them. */
  broken: count,
  breaks: z.array(found),
});

/** An entity that a row put and that is not there; a later row may have removed it. */
const missing = z.strictObject({ kind: z.string(), id: z.string(), seq: z.int() });

/** How far the rows of the lanes are read. */
const rowProgress = z.strictObject({
  /** The lane at hand, and those still to come. */
  lanes: z.array(z.int()),
  heads: anchors,
  missing: z.array(missing),
  /** Where reading ahead for what became of the missing has come to. */
  ahead: anchor.exactOptional(),
});

const treeProgress = z.strictObject({
  tree,
  /** The signed head to arrive at, and when it was read. */
  target: z.strictObject({ size: count, root: hash, readAt: time }),
});

const archiveProgress = z.strictObject({
  /** The last manifest that was checked wholly. */
  manifest: manifest.exactOptional(),
  /** The part of the next manifest at hand, and how many of its rows are done. */
  part: count,
  partRows: count,
});

const run = z.strictObject({
  id: z.string(),
  kind,
  startedAt: time,
  step: z.enum(['rows', 'tree', 'archive']),
  rows: rowProgress,
  tree: treeProgress.exactOptional(),
  archive: archiveProgress.exactOptional(),
  findings,
});

const outcome = z.strictObject({ id: z.string(), kind, startedAt: time, finishedAt: time, findings });

/** Up to where everything was found whole. */
const verified = z.strictObject({
  lanes: anchors,
  tree: tree.extend({ root: hash }).exactOptional(),
  manifest: manifest.exactOptional(),
});

const tracked = {
  version: z.int().min(0),
  /** Whoever works on it now is left alone until then. 0: nobody does. */
  leaseUntil: time,
  /** Slices in a row that ended with an error. */
  failures: count,
};

export const workspaceVerificationSchema = z.strictObject({
  ...tracked,
  workspaceId: z.string(),
  verified,
  run: run.exactOptional(),
  /** The last run of each kind that came to its end. */
  last: z.strictObject({ incremental: outcome.exactOptional(), complete: outcome.exactOptional() }),
});

export const scanVerificationSchema = z.strictObject({
  ...tracked,
  run: z
    .strictObject({
      startedAt: time,
      step: z.enum(['registrations', 'entities']),
      /** The last row of the platform's lane 0 that was read for registrations. */
      registrationsThrough: count,
      /** The page position to go on after. */
      after: z.string().exactOptional(),
      findings,
    })
    .exactOptional(),
  last: z.strictObject({ startedAt: time, finishedAt: time, findings }).exactOptional(),
});

export type VerificationKind = z.infer<typeof kind>;
export type Findings = z.infer<typeof findings>;
export type MissingEntity = z.infer<typeof missing>;
export type RowProgress = z.infer<typeof rowProgress>;
export type TreeProgress = z.infer<typeof treeProgress>;
export type ArchiveProgress = z.infer<typeof archiveProgress>;
export type VerificationRun = z.infer<typeof run>;
export type VerificationOutcome = z.infer<typeof outcome>;
export type Verified = z.infer<typeof verified>;
export type WorkspaceVerification = z.infer<typeof workspaceVerificationSchema>;
export type ScanVerification = z.infer<typeof scanVerificationSchema>;

/**
 * Keeps how far verifications have come. No tenant's data: all of it can be found out again by verifying completely, and
 * whoever changes it can put off what is checked next, but not keep the verifier from its work: leases and starts that
 * lie in the future count for nothing.
 *
 * Both `replace` are compare-and-swap: `next.version` is one more than that of the state read (1 where there was none).
 *
 * @throws VaultError `unavailable` when the store does not answer, and a write may then have taken effect or not;
 * `internal` when a state is damaged.
 */
export interface VerificationStates {
  /** The workspaces that have a state, page by page. */
  workspaces(): AsyncIterable<readonly string[]>;
  read(workspaceId: string): Promise<WorkspaceVerification | undefined>;
  replace(next: WorkspaceVerification): Promise<'replaced' | 'changed'>;
  /** The scan of the deployment's entities. */
  readScan(): Promise<ScanVerification | undefined>;
  replaceScan(next: ScanVerification): Promise<'replaced' | 'changed'>;
}

export const NO_FINDINGS: Findings = {
  rows: 0,
  entities: 0,
  leaves: 0,
  archivedRows: 0,
  broken: 0,
  breaks: [],
};

export function newVerification(workspaceId: string): WorkspaceVerification {
  return { version: 0, leaseUntil: 0, failures: 0, workspaceId, verified: { lanes: {} }, last: {} };
}

export const NEW_SCAN: ScanVerification = { version: 0, leaseUntil: 0, failures: 0 };
