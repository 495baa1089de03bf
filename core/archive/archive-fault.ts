import type { AlertKind } from '../detection/alert.ts';

/** What can be wrong with the archive, or with the rows that should go into it or out of the table. */
export type FaultReason =
  /** An object that the archive must hold is not there. */
  | 'missing'
  /** It holds other bytes than it must. */
  | 'altered'
  /** The name was taken by other bytes before. */
  | 'taken'
  /** The lock does not reach far enough. */
  | 'unlocked'
  /** No trusted key signed it. */
  | 'unsigned'
  /** It does not continue what is before it. */
  | 'unlinked'
  /** The row is not the one in the signed tree. */
  | 'not_sealed'
  /** The row in the table is not the archived one. */
  | 'not_archived'
  /** A row does not verify; see `BreakReason`. */
  | `row_${string}`;

/**
 * Somebody tampered with the archive or with what belongs into it. The work on the workspace stops, an alert is raised,
 * and nothing is archived or deleted on such ground.
 */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault';
  readonly kind: Extract<AlertKind, 'archive_conflict' | 'audit_break' | 'log_forked'>;
  /** An object's key, or `row <lane>-<seq>`. */
  readonly subject: string;
  readonly reason: FaultReason;

  constructor(kind: ArchiveFault['kind'], subject: string, reason: FaultReason, cause?: unknown) {
    super(`${subject}: ${reason}`, { cause });
    this.kind = kind;
    this.subject = subject;
    this.reason = reason;
  }
}

export function conflict(key: string, reason: FaultReason, cause?: unknown): ArchiveFault {
  return new ArchiveFault('archive_conflict', key, reason, cause);
}
