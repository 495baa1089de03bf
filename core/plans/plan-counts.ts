import { VaultError } from '../kernel/errors.ts';
import type { Month } from './month.ts';

/**
 * What plans have counted outside the trail. Whoever loses it loses nothing for good: secrets are counted anew each night,
 * and rows tell when a month began.
 *
 * @throws VaultError `unavailable`, and a write may then have taken effect or not.
 */
export interface PlanCounts {
  /** How many secrets a workspace has, as far as was counted; never below 0. */
  secretCount(workspaceId: string): Promise<number>;
  /** Adds to that count, or takes away, in one atomic step; gives the count now, which may be below 0. */
  addSecrets(workspaceId: string, difference: number): Promise<number>;
  /** Sets that count right. */
  setSecretCount(workspaceId: string, count: number): Promise<void>;
  /** How many rows of principals there were when a month began, by month, as far as that was noted. */
  rowsBefore(workspaceId: string): Promise<ReadonlyMap<Month, number>>;
  /** Notes that for {@link NOTE_LIFE_MS} from the beginning of the month. */
  noteRowsBefore(workspaceId: string, month: Month, rows: number): Promise<void>;
}

/** Longer than anybody asks for a month. */
export const NOTE_LIFE_MS = 400 * 24 * 60 * 60 * 1000;

/** For requests that make or destroy secrets. */
export interface SecretCountParts {
  readonly bookkeeping: Pick<PlanCounts, 'secretCount' | 'addSecrets'>;
}

/**
 * Counts secrets that a request made or destroyed, once that is committed. Failing to fails nothing, nor does a crash before
 * it: the count is then wrong by so many until the next night. The same goes for what the daily purge destroys.
 *
 * @returns the count now, if that is known.
 */
export async function countSecrets(
  { bookkeeping }: SecretCountParts,
  workspaceId: string,
  difference: number,
): Promise<number | undefined> {
  try {
    return difference === 0 ? undefined : await bookkeeping.addSecrets(workspaceId, difference);
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}
