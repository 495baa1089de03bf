import { AwsError } from '../stand-in.ts';

const DAY_MS = 86_400_000;

export type RetentionMode = 'GOVERNANCE' | 'COMPLIANCE';

export interface Retention {
  mode: RetentionMode;
  /** Milliseconds since the epoch; the version is locked before this moment. */
  until: number;
}

/** What a bucket gives to each version that is put without a retention of its own. */
export interface DefaultRetention {
  mode: RetentionMode;
  unit: 'Days' | 'Years';
  count: number;
}

/** What protects one version of an object. */
export interface Lock {
  retention: Retention | null;
  /** Null where it was never set. */
  legalHold: 'ON' | 'OFF' | null;
}

/**
 * Throws AccessDenied where the lock forbids to delete the version: a legal hold and COMPLIANCE always, GOVERNANCE
 * without the bypass (AWS, "Locking objects with Object Lock").
 */
export function assertDeletable(lock: Lock, bypassGovernance: boolean, now: number): void {
  if (lock.legalHold === 'ON') throw accessDenied();
  if (!isActive(lock.retention, now)) return;
  if (lock.retention.mode === 'GOVERNANCE' && bypassGovernance) return;
  throw accessDenied();
}

/**
 * Throws AccessDenied unless the retention may become `next` (null removes it): anyone may lengthen it; anything
 * else needs the bypass under GOVERNANCE and is impossible under COMPLIANCE.
 */
export function assertChangeable(
  current: Retention | null,
  next: Retention | null,
  bypassGovernance: boolean,
  now: number,
): void {
  if (!isActive(current, now)) return;
  const keepsOrLengthens = next !== null && next.mode === current.mode && next.until >= current.until;
  if (keepsOrLengthens) return;
  if (current.mode === 'GOVERNANCE' && bypassGovernance) return;
  throw accessDenied();
}

/** Reads a mode and an ISO 8601 date; null where neither is given. */
export function parseRetention(mode: string | undefined, until: string | undefined): Retention | null {
  if (mode === undefined && until === undefined) return null;
  if (mode === undefined || until === undefined) {
    throw new AwsError('InvalidArgument', 'A retention needs both a mode and a retain-until date.');
  }
  const time = Date.parse(until);
  if (Number.isNaN(time)) {
    throw new AwsError('InvalidArgument', 'The retain until date must be an ISO 8601 date.');
  }
  return { mode: parseMode(mode), until: time };
}

/** Nobody may set a retention that has already ended. */
export function assertInFuture(retention: Retention | null, now: number): void {
  if (retention === null || retention.until > now) return;
  throw new AwsError('InvalidArgument', 'The retain until date must be in the future!');
}

export function parseMode(mode: string): RetentionMode {
  if (mode === 'GOVERNANCE' || mode === 'COMPLIANCE') return mode;
  throw new AwsError('InvalidArgument', 'The mode of a retention must be GOVERNANCE or COMPLIANCE.');
}

export function parseLegalHold(status: string | undefined): 'ON' | 'OFF' | null {
  if (status === undefined || status === 'ON' || status === 'OFF') return status ?? null;
  throw new AwsError('InvalidArgument', 'A legal hold must be ON or OFF.');
}

/** A year of retention is 365 days. */
export function applyDefault(rule: DefaultRetention | null, now: number): Retention | null {
  if (rule === null) return null;
  const days = rule.unit === 'Years' ? rule.count * 365 : rule.count;
  return { mode: rule.mode, until: now + days * DAY_MS };
}

function isActive(retention: Retention | null, now: number): retention is Retention {
  return retention !== null && retention.until > now;
}

function accessDenied(): AwsError {
  return new AwsError('AccessDenied', 'Access Denied because object protected by object lock.', 403);
}
