import { originOf, type RequestContext } from '../access/principal.ts';
import { authorizeLifetime } from '../access/role.ts';
import { type IdempotencyParts, once } from '../idempotency/once.ts';
import { create, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Random } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import { type ApiKey, apiKeyId, apiKeyKind, newToken, tokenHash } from './api-key.ts';
import { keyWithToken } from './create-api-key.ts';
import { managedKey } from './revoke-api-key.ts';

type Parts = { readonly random: Random } & IdempotencyParts;

/**
 * A new key with the old one's rights, and its end if it has one. The old one goes on working for `overlapSeconds`, so
 * that its users can move over. A key is rotated once: then its successor is the one to rotate.
 *
 * @throws VaultError `already_rotated`, or `already_revoked` for a key that works no more.
 */
export async function rotateApiKey(
  parts: Parts,
  context: RequestContext,
  input: { readonly id: string; readonly overlapSeconds: number },
): Promise<{ readonly apiKey: ApiKey; readonly token?: string }> {
  const { principal } = context;
  const token = newToken(parts.random);
  const route = `POST /api-keys/${input.id}/rotate`;
  const request = { route, action: 'api_key.rotated', entityType: 'api_key', input } as const;
  return once(parts, context, request, {
    replay: (id) => keyWithToken(parts.store, principal.workspaceId, id, token),
    perform: async (record) => {
      const now = parts.clock.now();
      const old = await rotatableKey(parts, context, input.id, now);
      const overlapEnd = timestamp(now + input.overlapSeconds * 1000);
      const expiresAt =
        old.expiresAt !== undefined && old.expiresAt < overlapEnd ? old.expiresAt : overlapEnd;
      const { kind: _kind, revision: _revision, ...rights } = old;
      const successor = create(apiKeyKind, {
        ...rights,
        id: apiKeyId(token),
        tokenHash: tokenHash(token),
        createdAt: timestamp(now),
        createdBy: principal.id,
        rotatedFrom: old.id,
      });
      const { id } = successor.entity;
      const replaced = update(apiKeyKind, old, { expiresAt, rotatedTo: id });
      await inOpenWorkspace(parts.store, principal.workspaceId, (stillOpen) =>
        parts.trail.commit(originOf(context), [
          {
            action: 'api_key.rotated',
            entity: { type: 'api_key', id: old.id },
            result: 'success',
            detail: { successor: id, expiresAt },
            changes: [replaced, successor, ...record(id), stillOpen],
          },
        ]),
      );
      return { apiKey: successor.entity, token };
    },
  });
}

async function rotatableKey(
  { store }: Parts,
  context: RequestContext,
  id: string,
  now: number,
): Promise<ApiKey> {
  const key = await managedKey(store, context, id);
  if (key.rotatedTo !== undefined) {
    throw new VaultError(
      'already_rotated',
      `This API key was rotated already. Rotate its successor, ${key.rotatedTo}.`,
    );
  }
  if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= now) {
    throw new VaultError('already_revoked', 'This API key has expired. Make a new one.');
  }
  authorizeLifetime(context.principal, key);
  return key;
}
