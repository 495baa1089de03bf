import type { AuditRow } from '../audit/row.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { valueKey } from './opened-value.ts';

/** What one audit row accounts for: so many calls, within {@link WINDOW_MS} from a moment on. */
export interface Allowance {
  /** {@link valueKey} */
  readonly value: string;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly calls: number;
}

/** A request lives for 28 seconds: its row, its calls and the row that follows them lie no farther apart than this. */
export const REACH_MS = 45_000;
/** Clocks differ, a row is never older than the one before it, and the log of calls cuts its times to the second. */
export const SKEW_MS = 5_000;
/** All allowances last equally long, so that the earliest one is always the right one to use up. */
export const WINDOW_MS = REACH_MS + SKEW_MS;

/** The events that stand before a value is opened; one opening each. */
const OPENINGS: ReadonlySet<string> = new Set([
  'secret.revealed',
  'secret.rollback_requested',
  'secret.sampled',
  'secret.synced',
  'authentication.mfa_attempted',
]);
const RETRIED = 'key.decrypt_retried';
/** Stands before a customer's key is tried, with a value that was made up for that. */
const PROOF = 'encryption_key.proof_started';
/** A proof opens two data keys, and no row tells of a call that it had to repeat: one of those is let pass. */
const PROOF_CALLS = 3;
const ATTEMPTS = /^[1-9]\d{0,2}$/;

/** Whether a row announces an opening. */
export function isOpening({ action, result, detail }: AuditRow): boolean {
  return OPENINGS.has(action) && result === 'success' && detail['version'] !== undefined;
}

/** The {@link valueKey} of the value that the proof of a customer's key made up; undefined for any other row. */
export function provenValue({ action, ws, detail }: AuditRow): string | undefined {
  const { proof, version } = detail;
  if (action !== PROOF || proof === undefined || version === undefined) return undefined;
  return valueKey({ workspaceId: ws, secretId: proof, version });
}

/**
 * The calls that a row accounts for. An opening accounts for one after it; what says afterwards that the key service was
 * asked `attempts` times accounts for the others, before it: the service may have carried out each.
 */
export function allowanceOf(row: AuditRow): Allowance | undefined {
  const { action, result, entity, ts } = row;
  const { version, attempts = '1' } = row.detail;
  const proof = provenValue(row);
  if (proof !== undefined) return { value: proof, from: Date.parse(ts) - SKEW_MS, calls: PROOF_CALLS };
  if (version === undefined || !ATTEMPTS.test(attempts)) return undefined;
  // The secret of a person's app lies on the platform, and the row where they work.
  const workspaceId = entity.type === 'user' ? PLATFORM_WORKSPACE : row.ws;
  const value = valueKey({ workspaceId, secretId: entity.id, version });
  const at = Date.parse(ts);
  if (isOpening(row)) return { value, from: at - SKEW_MS, calls: 1 };
  const tellsAttempts = action === RETRIED || (OPENINGS.has(action) && result === 'failure');
  return tellsAttempts ? { value, from: at - REACH_MS, calls: Number(attempts) - 1 } : undefined;
}
