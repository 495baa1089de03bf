import {
  type CopyOwner,
  CopyRefused,
  type CopyVersion,
  type CustomerSecrets,
  type FoundCopy,
  type KeptAs,
  type SecretsAccount,
  type SyncFault,
} from '../../core/secrets-sync/customer-secrets.ts';
import {
  copyPrefix,
  type SyncSite,
  type SyncTarget,
  targetAccount,
} from '../../core/secrets-sync/secrets-sync.ts';
import { CUSTOMER_ACCOUNT } from './memory-customer-keys.ts';
import type { MemoryTables } from './memory-ledger.ts';
import { MemorySyncRecords } from './memory-sync-records.ts';

export const SYNC_ROLE = `arn:aws:iam::${CUSTOMER_ACCOUNT}:role/lockzero-sync-secrets`;
/** The customer's account and region, as {@link MemoryCustomerSecrets} names them. */
export const CUSTOMER_PLACE = `${CUSTOMER_ACCOUNT} us-east-1`;
export const SYNC_SITE: SyncSite = {
  stage: 'test',
  partition: 'aws',
  region: 'us-east-1',
  accountId: '000000000000',
  accounts: [CUSTOMER_ACCOUNT, '444455556666'],
  roleArns: ['arn:aws:iam::000000000000:role/api', 'arn:aws:iam::000000000000:role/syncer'],
  fips: false,
};

/** A secret as its account holds it. */
export interface HeldSecret {
  owner: CopyOwner | undefined;
  isDeleted: boolean;
  current: string | undefined;
  /** Absent where nothing but the current version is. */
  kept?: Partial<Record<KeptAs, string>>;
  /** Values by the ids of their versions. */
  readonly versions: Map<string, string>;
}

/**
 * The `CustomerSecrets` port in memory: accounts with their secrets, and roles with whom they let in. Its calls have the
 * faults of `tables`, under names such as `customerSecrets.put`.
 */
export class MemoryCustomerSecrets implements CustomerSecrets {
  /** Whether a role lets in who shows this external id; a role that is not named lets nobody in. */
  readonly roles = new Map<string, (externalId: string | undefined) => boolean>();
  /** Secrets by account and region, such as `111122223333 us-east-1`, and by whole name. */
  readonly accounts = new Map<string, Map<string, HeldSecret>>();
  /** Calls so far, by name. */
  readonly calls: string[] = [];
  /** Refuses a call on a name as a test wants it. */
  refuse: (call: string, name: string) => SyncFault | undefined = () => undefined;
  /** Sessions that were opened and not closed. */
  openSessions = 0;
  readonly #tables: Pick<MemoryTables, 'call'>;
  readonly #site: SyncSite;

  constructor(tables: Pick<MemoryTables, 'call'>, site: SyncSite = SYNC_SITE) {
    this.#tables = tables;
    this.#site = site;
  }

  /** What readers of an account get of a secret; undefined where there is none, or a deleted one. */
  valueOf(account: string, name: string): string | undefined {
    const held = this.accounts.get(account)?.get(name);
    return held === undefined || held.isDeleted ? undefined : held.versions.get(held.current ?? '');
  }

  /** The secrets of an account, made at its first use. */
  secretsOf(account: string): Map<string, HeldSecret> {
    const secrets = this.accounts.get(account) ?? new Map<string, HeldSecret>();
    this.accounts.set(account, secrets);
    return secrets;
  }

  open(target: SyncTarget): Promise<SecretsAccount> {
    return this.#call('open', '', () => {
      const { roleArn, workspaceId } = target;
      if (roleArn !== undefined && this.roles.get(roleArn)?.(workspaceId) !== true)
        throw refused('role_refused');
      this.openSessions += 1;
      return this.#account(target);
    });
  }

  letsIn(roleArn: string, externalId: string | undefined): Promise<boolean> {
    return this.#call('letsIn', '', () => this.roles.get(roleArn)?.(externalId) === true);
  }

  #account(target: SyncTarget): SecretsAccount {
    const secrets = this.secretsOf(`${targetAccount(this.#site, target)} ${target.region}`);
    const prefix = copyPrefix(this.#site, target.workspaceId);
    const on = <T>(call: string, name: string, work: () => T): Promise<T> =>
      this.#call(call, name, () => {
        if (!name.startsWith(prefix)) throw refused('access_denied');
        return work();
      });
    const change = <T>(call: string, name: string, work: (held: HeldSecret) => T): Promise<T> =>
      on(call, name, () => {
        const held = secrets.get(name);
        if (held === undefined) throw refused('changed_meanwhile');
        if (held.isDeleted && call !== 'restore') throw refused('request_refused');
        return work(held);
      });
    return {
      look: (name) => on('look', name, () => found(secrets.get(name))),
      create: (name, owner, { id, value }) =>
        on('create', name, () => {
          if (secrets.has(name)) return 'taken';
          secrets.set(name, { owner, isDeleted: false, current: id, versions: new Map([[id, value]]) });
          return 'created';
        }),
      put: (name, version) => change('put', name, (held) => addVersion(held, version)),
      makeCurrent: (name, versionId, before) =>
        change('makeCurrent', name, (held) => {
          if (held.current !== before || !held.versions.has(versionId)) return 'changed';
          makeCurrent(held, versionId);
          return 'moved';
        }),
      letGo: (name, versionId, as) =>
        change('letGo', name, (held) => {
          if (held.kept?.[as] !== versionId) return 'changed';
          delete held.kept[as];
          forgetUnkept(held);
          return 'gone';
        }),
      claim: (name, owner) =>
        change('claim', name, (held) => {
          held.owner = owner;
        }),
      restore: (name) =>
        change('restore', name, (held) => {
          held.isDeleted = false;
        }),
      remove: (name) =>
        change('remove', name, (held) => {
          held.isDeleted = true;
        }),
      close: () => {
        this.openSessions -= 1;
      },
    };
  }

  #call<T>(call: string, name: string, work: () => T): Promise<T> {
    this.calls.push(call);
    return this.#tables.call(`customerSecrets.${call}`, () => {
      const fault = this.refuse(call, name);
      if (fault !== undefined) throw refused(fault);
      return work();
    });
  }
}

function addVersion(held: HeldSecret, { id, value }: CopyVersion): void {
  const known = held.versions.get(id);
  if (known !== undefined && known !== value) throw refused('changed_meanwhile');
  // One that is there already stays as it is, and is not the latest again.
  if (known !== undefined) return;
  held.versions.set(id, value);
  held.kept = { ...held.kept, latest: id };
  forgetUnkept(held);
}

/** What Secrets Manager does when the label AWSCURRENT moves: the version that had it is kept. */
export function makeCurrent(held: HeldSecret, versionId: string): void {
  const { previous: _moved, ...kept } = held.kept ?? {};
  held.kept = held.current === undefined ? kept : { ...kept, previous: held.current };
  held.current = versionId;
  forgetUnkept(held);
}

/** Secrets Manager may delete at any time what is not kept: here, at once. */
function forgetUnkept({ current, kept = {}, versions }: HeldSecret): void {
  for (const id of versions.keys())
    if (![current, kept.previous, kept.latest].includes(id)) versions.delete(id);
}

function found(held: HeldSecret | undefined): FoundCopy | undefined {
  if (held === undefined) return undefined;
  const { owner, isDeleted, current, kept = {}, versions } = held;
  return { owner, isDeleted, current, kept: { ...kept }, versions: new Set(versions.keys()) };
}

function refused(fault: SyncFault): CopyRefused {
  return new CopyRefused(fault, `Refused: ${fault}.`);
}

/** What of a vault concerns copies, in memory. */
export function memorySync(tables: Pick<MemoryTables, 'call'>) {
  return {
    customerSecrets: new MemoryCustomerSecrets(tables),
    syncSite: SYNC_SITE,
    syncRecords: new MemorySyncRecords(tables),
  };
}
