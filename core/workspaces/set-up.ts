import { createHash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { RefusedChanges } from '../audit/append.ts';
import { type Origin, STRANGER_LANE } from '../audit/event.ts';
import { laneOpened } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { type ApiKey, apiKeyId, apiKeyKind, newToken, tokenHash } from '../identity/api-key.ts';
import type { Caller } from '../identity/authenticate.ts';
import {
  type RecordFailureParts,
  recordFailedAuthentication,
} from '../identity/record-failed-authentication.ts';
import { create, type Kind } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { workspaceKind } from './workspace.ts';

/** Says that the deployment has its first workspace, and which; there is one, with a fixed id. */
const installationSchema = z.strictObject({
  kind: z.literal('installation'),
  workspaceId: z.string(),
  id: z.literal('first'),
  revision: z.int().min(1),
});
export const installationKind: Kind<z.infer<typeof installationSchema>> = {
  name: 'installation',
  schema: installationSchema,
};

/** A setup token that was used, and is dead. Its id is a hash of the token. */
const usedSetupTokenSchema = z.strictObject({
  kind: z.literal('usedSetupToken'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  usedAt: z.string(),
});
export const usedSetupTokenKind: Kind<z.infer<typeof usedSetupTokenSchema>> = {
  name: 'usedSetupToken',
  schema: usedSetupTokenSchema,
};

type Parts = {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly random: Random;
  /** The token that the operator finds in Secrets Manager. */
  readonly setupToken: () => Promise<string>;
} & RecordFailureParts;

export interface SetUpResult {
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly recovered: boolean;
  readonly apiKey: ApiKey;
  /** Shown once. */
  readonly token: string;
}

/**
 * Makes the first workspace and its owner's key, for whoever holds the setup token. Later, a fresh token (rotated by
 * the operator) makes another owner's key for that workspace: the way back in when every owner key is lost.
 *
 * @throws VaultError `setup_refused` for a wrong token and for one that was used, alike.
 */
export async function setUp(
  parts: Parts,
  input: { readonly setupToken: string; readonly workspaceName: string },
  caller: Caller,
): Promise<SetUpResult> {
  const { store, trail, clock, random } = parts;
  const expected = await parts.setupToken();
  const usedId = createHash('sha256')
    .update('lockzero setup token\0')
    .update(input.setupToken, 'utf8')
    .digest('hex');
  const dead = await store.find(usedSetupTokenKind, usedId);
  if (!sameText(input.setupToken, expected) || dead !== undefined) {
    throw await refused(parts, caller);
  }

  const installed = await store.find(installationKind, 'first');
  const workspace =
    installed && (await store.get(workspaceKind, installed.workspaceId, installed.workspaceId));
  const workspaceId = workspace?.id ?? newId('ws', random);
  const now = timestamp(clock.now());
  const token = newToken(random);
  const key = create(apiKeyKind, {
    workspaceId,
    id: apiKeyId(token),
    name: workspace === undefined ? 'owner' : 'recovered owner',
    role: 'owner',
    namespaces: ['*'],
    tokenHash: tokenHash(token),
    honeypot: false,
    createdAt: now,
    createdBy: SETUP_ACTOR.id,
  });
  const used = create(usedSetupTokenKind, { workspaceId, id: usedId, usedAt: now });
  const keyCreated = {
    action: 'api_key.created',
    entity: { type: 'api_key', id: key.entity.id },
    result: 'success',
    detail: { role: 'owner' },
    changes: [key],
  } as const;
  const subject = { type: 'workspace', id: workspaceId } as const;
  const origin: Origin = {
    workspaceId,
    lane: 0,
    actor: SETUP_ACTOR,
    ip: caller.ip,
    userAgent: caller.userAgent,
  };
  try {
    if (workspace === undefined) {
      const made = create(workspaceKind, {
        workspaceId,
        id: workspaceId,
        name: input.workspaceName,
        createdAt: now,
      });
      const installation = create(installationKind, { workspaceId, id: 'first' });
      await trail.commit(origin, [
        {
          action: 'workspace.created',
          entity: subject,
          result: 'success',
          changes: [made, installation, used],
        },
        laneOpened(workspaceId, STRANGER_LANE),
        keyCreated,
      ]);
    } else {
      await trail.commit(origin, [
        { action: 'owner.recovered', entity: subject, result: 'success', changes: [used] },
        keyCreated,
      ]);
    }
  } catch (error) {
    // Another request used the same token a moment earlier.
    if (error instanceof RefusedChanges) throw await refused(parts, caller);
    throw error;
  }
  return {
    workspaceId,
    workspaceName: workspace?.name ?? input.workspaceName,
    recovered: workspace !== undefined,
    apiKey: key.entity,
    token,
  };
}

const SETUP_ACTOR = { type: 'system', id: 'setup' } as const;

async function refused(parts: Parts, { ip, userAgent }: Caller): Promise<VaultError> {
  await recordFailedAuthentication(parts, { key: undefined, reason: 'setup_token', ip, userAgent });
  return new VaultError(
    'setup_refused',
    'The setup token is wrong or was used already. The operator can rotate it in Secrets Manager and try the new one.',
  );
}

function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(left), digest(right));
}
