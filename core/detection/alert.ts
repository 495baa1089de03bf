/** How soon somebody has to look: `critical` at once, `warning` today, `info` when they come by. */
export type AlertTier = 'info' | 'warning' | 'critical';

/** What can be wrong. */
export type AlertKind =
  /** A row, an entity or a root does not verify. */
  | 'audit_break'
  /** The table or the state holds less than was signed. */
  | 'log_shrunk'
  /** What was signed and what is stored differ at the same place. */
  | 'log_forked'
  /** A name in the archive is taken by other bytes, or its object is not locked. */
  | 'archive_conflict'
  /** An audit row was changed in place. */
  | 'row_modified'
  /** An audit row above the retention floor was removed. */
  | 'row_removed'
  /** An entity changed, and no audit row explains it. */
  | 'entity_unexplained'
  /** A job could not do its work on a workspace; what it guards goes unwatched. */
  | 'job_failed'
  /** A witness refuses the log. */
  | 'witness_refused'
  /** A webhook's receiver accepted nothing for a day. */
  | 'webhook_parked';

export interface Alert {
  readonly tier: AlertTier;
  readonly kind: AlertKind;
  readonly workspaceId: string;
  /** What it is about, such as `row 0-17` or `webhook wh_…`; at most 300 characters. */
  readonly subject: string;
  /** Bounded facts as in an audit event's detail: at most 14 members of at most 512 characters. Never a secret. */
  readonly detail: { readonly [key: string]: string };
}

/**
 * Where alerts go. Raising one never throws: whoever raises an alert has to go on. The same alert may be raised twice.
 */
export interface Alerts {
  raise(alert: Alert): Promise<void>;
}
