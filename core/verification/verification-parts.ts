import type { ObjectArchive } from '../archive/object-archive.ts';
import type { EntityInspector } from '../audit/entity-inspector.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alerts } from '../detection/alert.ts';
import type { Entity, Kind } from '../kernel/entity.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { LogParts } from '../seal/published-log.ts';
import type { SealStates } from '../seal/seal-state.ts';
import type { VerificationStates } from './verification-state.ts';

/** What a verification needs. */
export interface VerificationParts {
  readonly ledger: Ledger;
  readonly inspector: EntityInspector;
  readonly kinds: ReadonlyMap<string, Kind<Entity>>;
  readonly trail: AuditTrail;
  /** The published logs and the archive, what signs them, and where each row stands in them. */
  readonly log: LogParts & {
    readonly archive: Pick<ObjectArchive, 'list' | 'read'>;
    readonly seals: SealStates;
  };
  readonly verifications: VerificationStates;
  readonly alerts: Alerts;
  readonly clock: Clock;
  readonly random: Random;
}

/** Rows, entities or leaves looked at in one slice: what is held in memory, and what a crash makes to be done again. */
export const SLICE = 20_000;
