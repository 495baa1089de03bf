import type { AuditEvent } from '../audit/event.ts';
import { OpeningFailed } from './key-service.ts';

/**
 * The event of the calls to the key service beyond the one that the row before an opening stands for: without it, the
 * daily reconciliation would find calls that no row explains. None where the service answered at once.
 */
export function decryptRetried(
  entity: AuditEvent['entity'],
  version: number,
  attempts: number,
): readonly AuditEvent[] {
  if (attempts <= 1) return [];
  return [
    {
      action: 'key.decrypt_retried',
      entity,
      result: 'success',
      detail: { version: String(version), attempts: String(attempts) },
    },
  ];
}

/** The same for an opening that failed, as part of the detail of the event that says so. */
export function attemptsOf(error: unknown): { readonly attempts?: string } {
  return error instanceof OpeningFailed && error.attempts > 1 ? { attempts: String(error.attempts) } : {};
}
