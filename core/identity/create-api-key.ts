import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize, authorizeGrant, authorizeLifetime, type KeyRights } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { type IdempotencyParts, once } from '../idempotency/once.ts';
import { create } from '../kernel/entity.ts';
import { invalid, notFound } from '../kernel/errors.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { demandRoomForKey } from '../plans/kept.ts';
import type { PlanName } from '../plans/plan.ts';
import { inOpenWorkspace, openWorkspace } from '../workspaces/in-open-workspace.ts';
import { type ApiKey, apiKeyId, apiKeyKind, newToken, tokenHash } from './api-key.ts';

export interface NewApiKey extends KeyRights {
  readonly name: string;
  readonly honeypot?: boolean | undefined;
}

type Parts = {
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
  /** The plan of workspaces that were assigned none. */
  readonly defaultPlan: PlanName;
} & IdempotencyParts;

/** How a token gets to whoever is to use it, other than by the answer. */
export interface TokenDelivery {
  /** Of the request, as idempotency keys are bound to it. */
  readonly route: string;
  /** What the key's row says of it. */
  readonly detail: { readonly [key: string]: string };
  /** Carried out before the key is good: a token that could not be delivered is no key. */
  readonly deliver: (keyId: string, token: string) => Promise<void>;
}

const IN_THE_ANSWER: TokenDelivery = {
  route: 'POST /api-keys',
  detail: {},
  deliver: async () => undefined,
};

/**
 * The key and, unless this repeats an earlier request, its token: shown here and never again.
 *
 * @throws VaultError `forbidden`; `invalid_request`; `plan_limit_exceeded`; and what `deliver` throws.
 */
export async function createApiKey(
  parts: Parts,
  context: RequestContext,
  input: NewApiKey,
  { route, detail, deliver }: TokenDelivery = IN_THE_ANSWER,
): Promise<{ readonly apiKey: ApiKey; readonly token?: string }> {
  const { principal } = context;
  authorize(principal, 'api_key:manage');
  authorizeGrant(principal, input);
  authorizeLifetime(principal, input);
  const now = parts.clock.now();
  if (input.expiresAt !== undefined && Date.parse(input.expiresAt) <= now) {
    throw invalid('expiresAt', 'must be in the future');
  }
  const token = newToken(parts.random);
  const request = {
    route,
    action: 'api_key.created',
    entityType: 'api_key',
    input,
  } as const;
  return once(parts, context, request, {
    replay: (id) => keyWithToken(parts.store, principal.workspaceId, id, token),
    perform: async (record) => {
      // A token is delivered only once nothing is known that its key would be refused for.
      const open = await openWorkspace(parts.store, principal.workspaceId);
      if (input.honeypot !== true) await demandRoomForKey(parts, open);
      const key = create(apiKeyKind, {
        workspaceId: principal.workspaceId,
        id: apiKeyId(token),
        name: input.name,
        role: input.role,
        namespaces: [...input.namespaces],
        tokenHash: tokenHash(token),
        honeypot: input.honeypot ?? false,
        createdAt: timestamp(now),
        createdBy: principal.id,
        ...(input.expiresAt === undefined ? {} : { expiresAt: timestamp(Date.parse(input.expiresAt)) }),
      });
      await deliver(key.entity.id, token);
      // A workspace is deleted only once no key in it is good: none may be made at that moment.
      await inOpenWorkspace(parts.store, principal.workspaceId, async (stillOpen) => {
        await parts.trail.commit(originOf(context), [
          {
            action: 'api_key.created',
            entity: { type: 'api_key', id: key.entity.id },
            result: 'success',
            detail: { role: input.role, ...detail },
            changes: [key, ...record(key.entity.id), stillOpen],
          },
        ]);
      });
      return { apiKey: key.entity, token };
    },
  });
}

/**
 * A key that an earlier request made, or this one did although the answer of the store was lost: only then is `token`
 * its own, and shown.
 */
export async function keyWithToken(
  store: Store,
  workspaceId: string,
  id: string,
  token: string,
): Promise<{ readonly apiKey: ApiKey; readonly token?: string }> {
  const apiKey = await store.get(apiKeyKind, workspaceId, id);
  if (apiKey === undefined) throw notFound('API key');
  return apiKeyId(token) === id ? { apiKey, token } : { apiKey };
}
