import { VaultError } from '../kernel/errors.ts';
import type { SyncTarget } from './secrets-sync.ts';

/** Why a copy is not what it should be. */
export const SYNC_FAULTS = [
  /** The customer's role does not let the vault in. */
  'role_refused',
  /** The operator does not list the account of the role any more. */
  'account_not_allowed',
  /** The role lacks a right on the names of the workspace. */
  'access_denied',
  /** The key that Secrets Manager encrypts the copy with cannot be used. */
  'copy_key_refused',
  /** The customer's account has too many secrets, or the copy too many versions. */
  'quota_exceeded',
  /** There is something of that name which this vault did not make for this workspace. */
  'name_taken',
  /** Somebody else changed the copy at that moment. */
  'changed_meanwhile',
  /** Secrets Manager refuses the request: an empty value, for one. */
  'request_refused',
  /** Secrets Manager or the vault's own services do not answer. */
  'unavailable',
  /** The key that the value lies under in the vault cannot be used. */
  'key_unavailable',
  /** The stored value does not open as this version of this secret. */
  'value_damaged',
] as const;
export type SyncFault = (typeof SYNC_FAULTS)[number];

/** What the other side does not let the vault do, or does not answer to. */
export class CopyRefused extends VaultError {
  readonly fault: SyncFault;

  constructor(fault: SyncFault, message: string, cause?: unknown) {
    super(fault === 'unavailable' ? 'unavailable' : 'receiver_refused', message, {
      cause,
      ...(fault === 'unavailable' ? { retryAfter: 2 } : {}),
    });
    this.fault = fault;
  }
}

/** For whom, and of what, the vault made a secret in Secrets Manager: tags on it. */
export interface CopyOwner {
  readonly workspaceId: string;
  /** The secret that it is a copy of, or the API key whose token it holds. */
  readonly subjectId: string;
}

/** What can keep a version besides being current: having been so until another one came, or being what the vault put last. */
export type KeptAs = 'previous' | 'latest';

/** A secret in Secrets Manager, without its value. */
export interface FoundCopy {
  /** Absent where the vault did not make it. */
  readonly owner: CopyOwner | undefined;
  /** Whether it waits for its deletion, and can be restored until then. */
  readonly isDeleted: boolean;
  /** The id of the version that readers get. */
  readonly current: string | undefined;
  /** The ids of versions that are kept, current or not. */
  readonly kept: Readonly<Partial<Record<KeptAs, string>>>;
  /** The ids of the versions that are known to be there. */
  readonly versions: ReadonlySet<string>;
}

/** A version to be written: its id, of 32 to 64 characters, and its text. The same id always means the same text. */
export interface CopyVersion {
  readonly id: string;
  readonly value: string;
}

/**
 * Secrets Manager in one account and region, as far as the names of one workspace go. Values go in and never come out.
 * All names are whole.
 *
 * @throws CopyRefused; after `unavailable`, a change may have taken effect.
 */
export interface SecretsAccount {
  look(name: string): Promise<FoundCopy | undefined>;
  /** A new secret, whose first version is current at once. */
  create(name: string, owner: CopyOwner, version: CopyVersion): Promise<'created' | 'taken'>;
  /** Adds a version without making it current. One that is there already stays as it is. */
  put(name: string, version: CopyVersion): Promise<void>;
  /** Compare-and-swap of the current version. `before` is the one as it was found, and is kept as the previous one. */
  makeCurrent(name: string, versionId: string, before: string | undefined): Promise<'moved' | 'changed'>;
  /** Lets go of a version that is kept as this; without anything to keep it, Secrets Manager may delete it. */
  letGo(name: string, versionId: string, as: KeptAs): Promise<'gone' | 'changed'>;
  /** Says of whom and what it is from now on. */
  claim(name: string, owner: CopyOwner): Promise<void>;
  /** Takes a deletion back. */
  restore(name: string): Promise<void>;
  /** Schedules the deletion in 7 days, the shortest time that Secrets Manager gives to take it back. */
  remove(name: string): Promise<void>;
  /** Gives connections back; nothing else may follow. */
  close(): void;
}

/** The way into accounts: by the customer's role, or by the vault's own rights. */
export interface CustomerSecrets {
  /**
   * Assumes the target's role with the workspace's id as external id, confined to the names of the workspace.
   *
   * @throws CopyRefused
   */
  open(target: SyncTarget): Promise<SecretsAccount>;
  /**
   * Whether the role lets the vault in with this external id, or with none.
   *
   * @throws CopyRefused `unavailable` where nobody can tell.
   */
  letsIn(roleArn: string, externalId: string | undefined): Promise<boolean>;
}
