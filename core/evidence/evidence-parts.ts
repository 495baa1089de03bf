import type { ObjectArchive } from '../archive/object-archive.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Clock } from '../kernel/ports.ts';
import type { LogParts } from '../seal/published-log.ts';
import type { SealStates } from '../seal/seal-state.ts';

/** A workspace's log as proofs are made from it: what is published, and where each row stands in it. */
export interface SealedLogs extends LogParts {
  readonly archive: ObjectArchive;
  readonly seals: SealStates;
}

export interface EvidenceParts {
  readonly ledger: Ledger;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly log: SealedLogs;
}
