import type { LaneRef } from '../audit/ledger.ts';

/**
 * Deletes audit rows. Only the retention job has it, and only its role is allowed to.
 *
 * @throws VaultError `unavailable` when the store does not answer; any of the rows may then be gone or not.
 */
export interface RowRemover {
  /** Any number of rows of a lane; those that are gone already are no error. */
  remove(lane: LaneRef, seqs: readonly number[]): Promise<void>;
}
