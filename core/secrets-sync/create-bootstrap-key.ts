import { hash } from 'node:crypto';
import type { RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type ApiKey, apiKeyKind, isGoodKey } from '../identity/api-key.ts';
import { createApiKey, type NewApiKey } from '../identity/create-api-key.ts';
import { VaultError } from '../kernel/errors.ts';
import { demandFeature } from '../plans/demand.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import {
  CopyRefused,
  type CustomerSecrets,
  type FoundCopy,
  type SecretsAccount,
} from './customer-secrets.ts';
import { remedyFor } from './fault-remedies.ts';
import {
  BOOTSTRAP,
  copyName,
  copyPrefix,
  type SyncSite,
  type SyncTarget,
  secretsSyncKind,
  targetAccount,
} from './secrets-sync.ts';

export type BootstrapParts = Parameters<typeof createApiKey>[0] & {
  readonly customerSecrets: CustomerSecrets;
  readonly syncSite: SyncSite;
};

/** Where a token lies in Secrets Manager. */
export interface StoredToken {
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
}

/**
 * Makes an API key whose token nobody sees: it lies in Secrets Manager under the key's name, in the account that the
 * workspace's sync leads to, or else in the vault's own. It is written there first. A crash after that leaves a token that
 * is no key; the same request writes over it. So it does over the token of a key that is revoked or expired.
 *
 * @throws VaultError `not_in_plan`; `name_taken` while a good key's token lies there, or something else;
 * `receiver_refused` where the customer's account does not take it; and whatever `createApiKey` throws.
 */
export async function createBootstrapKey(
  parts: BootstrapParts,
  context: RequestContext,
  input: Omit<NewApiKey, 'honeypot'>,
): Promise<{ readonly apiKey: ApiKey; readonly stored: StoredToken }> {
  const { principal } = context;
  const { workspaceId } = principal;
  const { store, syncSite } = parts;
  authorize(principal, 'secrets_sync:manage');
  demandFeature(await openWorkspace(store, workspaceId), parts.defaultPlan, 'secretsSync');
  const sync = await store.get(secretsSyncKind, workspaceId, workspaceId);
  const target: SyncTarget = sync ?? { workspaceId, region: syncSite.region };
  const stored = {
    accountId: targetAccount(syncSite, target),
    region: target.region,
    name: `${copyPrefix(syncSite, workspaceId)}${copyName({ namespace: BOOTSTRAP, name: input.name })}`,
  };
  const { apiKey } = await createApiKey(parts, context, input, {
    route: 'POST /workspace/secrets-sync/bootstrap-key',
    detail: { accountId: stored.accountId, region: stored.region, copy: stored.name },
    deliver: (keyId, token) => deliverToken(parts, target, stored.name, keyId, token),
  });
  return { apiKey, stored };
}

async function deliverToken(
  parts: BootstrapParts,
  target: SyncTarget,
  name: string,
  keyId: string,
  token: string,
): Promise<void> {
  try {
    const account = await parts.customerSecrets.open(target);
    try {
      await putToken(parts, account, target.workspaceId, name, keyId, token);
    } finally {
      account.close();
    }
  } catch (error) {
    throw error instanceof CopyRefused ? told(error) : error;
  }
}

async function putToken(
  parts: BootstrapParts,
  account: SecretsAccount,
  workspaceId: string,
  name: string,
  keyId: string,
  token: string,
): Promise<void> {
  const owner = { workspaceId, subjectId: keyId };
  const version = { id: tokenVersionId(keyId), value: token };
  const found = await account.look(name);
  if (found === undefined) {
    if ((await account.create(name, owner, version)) === 'taken') throw taken();
    return;
  }
  if (!(await isFree(parts, workspaceId, found))) throw taken();
  if (found.isDeleted) await account.restore(name);
  await account.put(name, version);
  if ((await account.makeCurrent(name, version.id, found.current)) === 'changed') throw taken();
  await account.claim(name, owner);
}

/** Whether what lies there is a token of this workspace that opens nothing. */
async function isFree(
  { store, clock }: BootstrapParts,
  workspaceId: string,
  { owner }: FoundCopy,
): Promise<boolean> {
  if (owner?.workspaceId !== workspaceId) return false;
  const key = await store.get(apiKeyKind, workspaceId, owner.subjectId);
  return key === undefined || !isGoodKey(key, clock.now());
}

/** As long as Secrets Manager demands, and the same for the same token. */
function tokenVersionId(keyId: string): string {
  return hash('sha256', `lockzero bootstrap key\0${keyId}`, 'hex');
}

function taken(): VaultError {
  return new VaultError(
    'name_taken',
    'There is a secret of that name: the token of a key that is not revoked, or something that the vault did not make. Revoke the key, or choose another name.',
  );
}

function told(error: CopyRefused): VaultError {
  return new VaultError(
    error.code,
    `The token could not be stored, so there is no key. ${remedyFor(error.fault)}`,
    { cause: error, ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }) },
  );
}
