import * as z from 'zod';
import type { Page } from '../kernel/store.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { SYNC_FAULTS } from './customer-secrets.ts';

const fault = z.enum(SYNC_FAULTS);

/** How many copies that fail are named to people. */
export const MAX_PROBLEMS = 20;

/** What the last runs for a workspace came to, and who is at work on it. Times in epoch milliseconds. */
export const syncStateSchema = z.strictObject({
  /** The `start` of the sync that this belongs to. */
  start: z.int().min(1),
  /** Who alone works, and until when. */
  lease: z.strictObject({ owner: z.string(), until: z.int() }).exactOptional(),
  /** Since when, how often in a row and why no run got anywhere. */
  failing: z
    .strictObject({
      since: z.int(),
      attempts: z.int().min(1),
      nextAttemptAt: z.int(),
      reason: fault,
    })
    .exactOptional(),
  /** When a run last went through everything. */
  finishedAt: z.int().exactOptional(),
  /** Copies that were in place then. */
  copies: z.int().min(0),
  /** Copies that were not, and could not be put there or taken away; the first of them by name. */
  faults: z.int().min(0),
  problems: z
    .array(z.strictObject({ secretId: z.string(), name: z.string(), reason: fault }))
    .max(MAX_PROBLEMS),
});

export type SyncState = z.infer<typeof syncStateSchema>;

/** A state as it was read; `version` rises with each replacement. */
export interface StoredSyncState {
  readonly version: number;
  readonly state: SyncState;
}

/**
 * What is known of the copy of one secret. Written before the first attempt to put it there, so that whatever may lie
 * there is known; and gone once it is taken away.
 */
export const copyNoteSchema = z.strictObject({
  secretId: z.string(),
  /** After the workspace's prefix: a purged secret has no name any more. */
  name: z.string(),
  /** The `start` of the sync under which it was last looked at. */
  start: z.int().min(1),
  /** The version of the secret that was current there when it was last looked at; absent while nobody knows. */
  version: z.int().min(1).exactOptional(),
  /** Epoch milliseconds. */
  lookedAt: z.int(),
  /** Why the last attempt came to nothing, and how many did in a row. */
  failing: z.strictObject({ reason: fault, attempts: z.int().min(1) }).exactOptional(),
});

export type CopyNote = z.infer<typeof copyNoteSchema>;

/** Notes of a sync that somebody ended disappear after this; those of one that goes on are renewed long before. */
export const NOTE_LIFE_MS = 365 * DAY_MS;

/**
 * Bookkeeping of copies, outside the audit trail. Whoever loses it has each copy looked at once more, without opening a
 * value; but a copy whose secret is deleted at that very time is then left where it is. Lists may lag a moment behind.
 *
 * @throws VaultError `unavailable`: a write may have taken effect or not; `internal` for what somebody spoiled.
 */
export interface SyncRecords {
  read(workspaceId: string): Promise<StoredSyncState | undefined>;
  /** Compare-and-swap: `version` is that of the state as it was read, 0 for none. */
  replace(workspaceId: string, version: number, next: SyncState): Promise<'replaced' | 'changed'>;
  /** `after` is an earlier page's `next`. */
  notes(workspaceId: string, after?: string): Promise<Page<CopyNote>>;
  note(workspaceId: string, note: CopyNote): Promise<void>;
  forget(workspaceId: string, secretId: string): Promise<void>;
}
