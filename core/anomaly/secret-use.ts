import type { Observation } from './observation.ts';

/** What one page of a list can hold at most. */
const PAGE = 100;

/** Whether a row tells of a value that was opened. In bulk, each value has a row of its own. */
export function opensValue({ action, result }: Observation): boolean {
  return result === 'success' && (action === 'secret.revealed' || action === 'secret.rollback_requested');
}

/**
 * How many uses of secrets a row counts as: 1 for a value that was opened, for a secret whose metadata was read and for
 * a page of a list; an export counts as the pages that it would have been. A caller who had everything already
 * (`If-None-Match`) learned nothing, and what was refused is a matter of reconnaissance: both count 0.
 */
export function usesOf(row: Observation): number {
  if (row.result !== 'success') return 0;
  switch (row.action) {
    case 'secret.revealed':
    case 'secret.rollback_requested':
    case 'secret.listed':
    case 'secret.versions_listed':
      return 1;
    case 'secret.read':
      return row.detail['notModified'] === undefined ? 1 : 0;
    case 'secret.exported':
      return Math.max(1, Math.ceil(Number(row.detail['count'] ?? 0) / PAGE)) || 1;
    default:
      return 0;
  }
}
