import { ALL_NAMESPACES } from '../access/role.ts';
import { RefusedChanges } from '../audit/append.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { type ApiKey, apiKeyId, apiKeyKind, apiKeyList, newToken, tokenHash } from '../identity/api-key.ts';
import { create, remove } from '../kernel/entity.ts';
import type { Random } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { CANARY_WORKSPACE, type CanaryParts, PROBE_JOB } from './canary.ts';

/** Longer than a run may take: should it die, its key dies soon after. */
export const KEY_LIFE_MS = 10 * 60 * 1000;

/** An owner's key of the canary for one run. The token is kept nowhere. */
export async function createCanaryKey(
  parts: CanaryParts & { readonly random: Random },
): Promise<{ readonly key: ApiKey; readonly token: string }> {
  const now = parts.clock.now();
  const token = newToken(parts.random);
  const change = create(apiKeyKind, {
    workspaceId: CANARY_WORKSPACE,
    id: apiKeyId(token),
    name: 'Health probe',
    // Purging takes an owner.
    role: 'owner',
    namespaces: [ALL_NAMESPACES],
    tokenHash: tokenHash(token),
    honeypot: false,
    createdAt: timestamp(now),
    createdBy: PROBE_JOB,
    expiresAt: timestamp(now + KEY_LIFE_MS),
  });
  await parts.trail.commit(systemOrigin(CANARY_WORKSPACE, PROBE_JOB), [
    {
      action: 'api_key.created',
      entity: { type: 'api_key', id: change.entity.id },
      result: 'success',
      detail: { role: 'owner' },
      changes: [change],
    },
  ]);
  return { key: change.entity, token };
}

/** Ends a key and removes it: with a hundred a day, none is kept to look at. Its rows stay. */
export async function removeCanaryKey({ trail }: CanaryParts, key: ApiKey): Promise<void> {
  try {
    await trail.commit(systemOrigin(CANARY_WORKSPACE, PROBE_JOB), [
      {
        action: 'api_key.revoked',
        entity: { type: 'api_key', id: key.id },
        result: 'success',
        changes: [remove(apiKeyKind, key)],
      },
    ]);
  } catch (error) {
    // Another run did so.
    if (!(error instanceof RefusedChanges)) throw error;
  }
}

/**
 * Removes the keys of runs that died; at most so many at a time.
 *
 * @param until epoch milliseconds: none is begun after it.
 */
export async function removeLeftKeys(parts: CanaryParts, limit: number, until: number): Promise<void> {
  const { items } = await parts.store.list(apiKeyKind, { list: apiKeyList(CANARY_WORKSPACE), limit });
  for (const key of items) {
    if (parts.clock.now() >= until) return;
    const end = key.expiresAt === undefined ? 0 : Date.parse(key.expiresAt);
    if (end <= parts.clock.now()) await removeCanaryKey(parts, key);
  }
}
