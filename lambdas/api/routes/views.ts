import * as z from 'zod';
import { ROLES } from '../../../core/access/role.ts';
import type { ApiKey } from '../../../core/identity/api-key.ts';
import type { Entity } from '../../../core/kernel/entity.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import type { Namespace } from '../../../core/namespaces/namespace.ts';
import { RECOVERY_WINDOW_MS, type Secret, type SecretVersion } from '../../../core/secrets/secret.ts';

/** What the API shows of each thing: a schema for its description, and the function that makes it. */

export const namespaceView = z.object({ name: z.string(), createdAt: z.string(), createdBy: z.string() });

export function viewNamespace({ id, createdAt, createdBy }: Namespace): z.infer<typeof namespaceView> {
  return { name: id, createdAt, createdBy };
}

export const secretView = z.object({
  id: z.string(),
  namespace: z.string(),
  name: z.string(),
  description: z.string().optional(),
  tags: z.array(z.string()),
  isCUI: z.boolean(),
  version: z.int(),
  revision: z.int(),
  createdAt: z.string(),
  createdBy: z.string(),
  updatedAt: z.string(),
  updatedBy: z.string(),
  valueUpdatedAt: z.string(),
  deletedAt: z.string().optional(),
  restorableUntil: z.string().optional(),
});

export function viewSecret(secret: Secret): z.infer<typeof secretView> {
  const { kind, workspaceId, currentVersion, purging, decoy, deletedAt, ...shown } = secret;
  return {
    ...shown,
    version: currentVersion,
    ...(deletedAt === undefined
      ? {}
      : { deletedAt, restorableUntil: timestamp(Date.parse(deletedAt) + RECOVERY_WINDOW_MS) }),
  };
}

export const versionView = z.object({
  version: z.int(),
  current: z.boolean(),
  createdAt: z.string(),
  createdBy: z.string(),
});

export function viewVersion(secret: Secret, version: SecretVersion): z.infer<typeof versionView> {
  const { createdAt, createdBy } = version;
  return {
    version: version.version,
    current: version.version === secret.currentVersion,
    createdAt,
    createdBy,
  };
}

export const revealedView = z.object({
  id: z.string(),
  name: z.string(),
  version: z.int(),
  value: z.string(),
});

export const apiKeyView = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  namespaces: z.array(z.string()),
  honeypot: z.boolean(),
  createdAt: z.string(),
  createdBy: z.string(),
  expiresAt: z.string().optional(),
  revokedAt: z.string().optional(),
  rotatedFrom: z.string().optional(),
  rotatedTo: z.string().optional(),
});

export function viewApiKey(key: ApiKey): z.infer<typeof apiKeyView> {
  const { kind, workspaceId, revision, tokenHash, ...shown } = key;
  return shown;
}

export const eventView = z.object({
  id: z.string(),
  createdAt: z.string(),
  actor: z.object({ type: z.string(), id: z.string() }),
  action: z.string(),
  entity: z.object({ type: z.string(), id: z.string() }),
  result: z.enum(['success', 'failure', 'denied']),
  ipAddress: z.string(),
  userAgent: z.string(),
  detail: z.record(z.string(), z.string()),
  changes: z.array(z.object({ kind: z.string(), id: z.string(), revision: z.int(), digest: z.string() })),
  hash: z.string(),
});

export { viewEvent } from '../../../core/audit/event-view.ts';

/** A list's answer. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** A strong entity tag that names the revision (RFC 9110 section 8.8.3). */
export function etag({ revision }: Entity): { readonly ETag: string } {
  return { ETag: `"v${revision}"` };
}

/** What a verification found wrong. */
export const breakView = z.object({
  lane: z.int(),
  seq: z.int(),
  reason: z.string(),
  entity: z.object({ kind: z.string(), id: z.string() }).optional(),
});
