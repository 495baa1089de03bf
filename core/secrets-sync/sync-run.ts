import { RefusedChanges } from '../audit/append.ts';
import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { KeyService } from '../crypto/key-service.ts';
import type { Alerts } from '../detection/alert.ts';
import { type Change, check } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import type { Secret } from '../secrets/secret.ts';
import {
  CopyRefused,
  type CustomerSecrets,
  type SecretsAccount,
  type SyncFault,
} from './customer-secrets.ts';
import {
  copyName,
  copyPrefix,
  type SecretsSync,
  type SyncSite,
  secretsSyncKind,
  targetText,
} from './secrets-sync.ts';
import type { CopyNote, SyncRecords } from './sync-records.ts';

/** What copying takes. */
export interface SyncParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: Pick<KeyService, 'decrypt'>;
  readonly alerts: Alerts;
  readonly customerSecrets: CustomerSecrets;
  readonly syncRecords: SyncRecords;
  readonly syncSite: SyncSite;
}

/** One run for one workspace. */
export interface SyncRun {
  readonly parts: SyncParts;
  readonly sync: SecretsSync;
  readonly account: SecretsAccount;
}

/** A secret whose copy is to be seen to, and what is known of it. */
export interface DueCopy {
  readonly secretId: string;
  /** After the prefix. */
  readonly name: string;
  readonly note: CopyNote | undefined;
}

/** What became of a copy; `left` where there was nothing to do for it, such as for a secret that is deleted by now. */
export type CopyOutcome =
  | { readonly outcome: 'copied' | 'in_place' | 'removed' | 'left' }
  | {
      readonly outcome: 'failed';
      readonly due: Pick<DueCopy, 'secretId' | 'name'>;
      readonly fault: SyncFault;
      /** How often in a row by now. */
      readonly attempts: number;
    };

/** The actor of all that the job does. */
export const SYNC_JOB = 'syncer';

/** Whether a secret is to have a copy. A decoy has none: whoever can read copies must not come upon it. */
export function isSynced({ namespaces }: SecretsSync, secret: Secret | undefined): secret is Secret {
  return (
    secret !== undefined &&
    secret.deletedAt === undefined &&
    secret.purging === undefined &&
    secret.decoy === undefined &&
    namespaces.includes(secret.namespace)
  );
}

/** The whole name of a copy. */
export function wholeName({ parts, sync }: SyncRun, name: string): string {
  return `${copyPrefix(parts.syncSite, sync.workspaceId)}${name}`;
}

export function dueCopy(secret: Secret, note: CopyNote | undefined): DueCopy {
  return { secretId: secret.id, name: copyName(secret), note };
}

export async function commitSync({ parts, sync }: SyncRun, events: readonly AuditEvent[]): Promise<void> {
  if (events.length > 0) await parts.trail.commit(systemOrigin(sync.workspaceId, SYNC_JOB), events);
}

/** The change that goes with opening or removing something: refused once somebody has set the sync otherwise, or ended it. */
export function stillSet({ sync }: SyncRun): Change {
  return check(secretsSyncKind, sync);
}

/** Notes that a copy is as it should be, with the version that lies there. */
export function noteInPlace({ parts, sync }: SyncRun, due: DueCopy, version: number): Promise<void> {
  return parts.syncRecords.note(sync.workspaceId, {
    secretId: due.secretId,
    name: due.name,
    start: sync.start,
    version,
    lookedAt: parts.clock.now(),
  });
}

/** Notes and records that a copy could not be put in place or taken away. */
export async function failCopy(run: SyncRun, due: DueCopy, error: unknown): Promise<CopyOutcome> {
  const { parts, sync } = run;
  const fault = faultOf(error);
  const { secretId, name, note } = due;
  const attempts = (note?.failing?.attempts ?? 0) + 1;
  await commitSync(run, [
    {
      action: 'secrets_sync.failed',
      entity: { type: 'secret', id: secretId },
      result: 'failure',
      detail: { reason: fault, target: targetText(parts.syncSite, sync) },
    },
  ]);
  await parts.syncRecords.note(sync.workspaceId, {
    secretId,
    name,
    start: sync.start,
    lookedAt: parts.clock.now(),
    failing: { reason: fault, attempts },
  });
  return { outcome: 'failed', due: { secretId, name }, fault, attempts };
}

/** All results, or the first error once nothing is under way any more: whoever gives up must not leave work behind. */
export async function allDone<T>(works: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/** What kept a copy from its place. @throws what no copy is to blame for. */
export function faultOf(error: unknown): SyncFault {
  if (error instanceof CopyRefused) return error.fault;
  // Of a refused change, the sync is to blame, which is not what it was.
  if (!(error instanceof VaultError) || error instanceof RefusedChanges) throw error;
  if (error.code === 'key_unavailable') return 'key_unavailable';
  return error.code === 'internal' ? 'value_damaged' : 'unavailable';
}
