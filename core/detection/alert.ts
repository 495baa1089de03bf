/** How soon somebody has to look: `critical` at once, `warning` today, `info` when they come by. From least to most. */
export const ALERT_TIERS = ['info', 'warning', 'critical'] as const;
export type AlertTier = (typeof ALERT_TIERS)[number];

/** What can be wrong. */
export const ALERT_KINDS = [
  /** A row, an entity or a root does not verify. */
  'audit_break',
  /** The table or the state holds less than was signed. */
  'log_shrunk',
  /** What was signed and what is stored differ at the same place. */
  'log_forked',
  /** A name in the archive is taken by other bytes, or its object is not locked. */
  'archive_conflict',
  /** An audit row was changed in place. */
  'row_modified',
  /** An audit row above the retention floor was removed. */
  'row_removed',
  /** An entity changed, and no audit row explains it. */
  'entity_unexplained',
  /** A job could not do its work on a workspace; what it guards goes unwatched. */
  'job_failed',
  /** A witness refuses the log. */
  'witness_refused',
  /** A webhook's receiver accepted nothing for a day. */
  'webhook_parked',
  /** A channel of alerts reaches nobody any more, or refused an alert. */
  'channel_failing',
  /** Somebody tried a honeypot key: it was found where only an intruder looks. */
  'honeypot_used',
  /** Somebody opened a decoy secret. */
  'decoy_revealed',
  /** A credential that works once was shown a second time: two have it. */
  'credential_replayed',
  /** The operator's setup token made somebody an owner. */
  'owner_recovered',
  /** Somebody turned a detector of anomalies off, or made it notice less. */
  'detection_weakened',
  /** An actor does far more than is usual for it at this hour of the week. */
  'volume_anomaly',
  /** An actor works at an hour at which it never works. */
  'off_hours',
  /** An actor comes from a country that it never came from. */
  'new_country',
  /** An actor was in two places, and nobody travels that fast. */
  'impossible_travel',
  /** Somebody looks around: much that is not there, or is not theirs, or all there is. */
  'reconnaissance',
  /** Far more logins fail in the workspace than usual. */
  'failed_login_spike',
  /** One address fails again and again. */
  'brute_force',
  /** A key that nobody used for long is used. */
  'dormant_key_used',
  /** Rights were changed right before or after they were used. */
  'use_around_permission_change',
  /** The key service decrypted, and no audit row says why. */
  'decrypt_without_row',
  /** Somebody else than the vault used the key for values. */
  'decrypt_by_stranger',
  /** The key that values lie under cannot be used: nothing is revealed until it can. */
  'key_unavailable',
  /** Values are to lie under another key. */
  'encryption_key_changed',
  /** Values are to be copied into another AWS account from now on, or others than before. */
  'secrets_sync_changed',
  /** Values could not be moved under another key. */
  'rewrap_blocked',
  /** Four fifths of what the plan allows are used, or all of it. */
  'plan_limit_near',
  /** Secrets do not reach the customer's own Secrets Manager. */
  'secrets_sync_failing',
  /** The newest complete backup is too old. */
  'backup_stale',
  /** A backup lacks something, or holds less than its manifest says. */
  'backup_incomplete',
  /** The canary could not write, reveal or verify. */
  'probe_failed',
  /** A certificate was issued for a served domain, by an authority that nobody named. */
  'certificate_unexpected',
  /** Keys and members that somebody should look at. */
  'access_review_due',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export interface Alert {
  readonly tier: AlertTier;
  readonly kind: AlertKind;
  readonly workspaceId: string;
  /** What it is about, such as `row 0-17` or `webhook wh_…`; at most 300 characters. Same kind and subject, same alert. */
  readonly subject: string;
  /** What was seen, for a person: one sentence of at most 500 characters. */
  readonly seen?: string;
  /** What is usual instead, likewise. */
  readonly usual?: string;
  /** The ids of the audit events that show it, at most {@link MAX_ALERT_ROWS}, oldest first. */
  readonly rows?: readonly string[];
  /** What happened, where that has a name, such as an event's id: raised again for the same, an alert does not count twice. */
  readonly occurrence?: string;
  /** Bounded facts as in an audit event's detail: at most 7 members of at most 512 characters. Never a secret. */
  readonly detail: { readonly [key: string]: string };
}

/** An event's id has at most 22 characters, so that these fit one member of an audit event's detail. */
export const MAX_ALERT_ROWS = 20;

/**
 * Where alerts go. Raising one never throws: whoever raises an alert has to go on; but for a function that is shown the
 * same again when it fails. The same alert may be raised twice.
 */
export interface Alerts {
  raise(alert: Alert): Promise<void>;
}
