import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import type { AuditEvent } from '../audit/event.ts';
import { wrappingKeyArn } from '../encryption-keys/wrapping-key.ts';
import { type Change, update } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { findSecret } from './find-secret.ts';
import type { ValueParts } from './parts.ts';
import { type Secret, secretKind } from './secret.ts';
import { sealedVersion } from './write-version.ts';

/** Writes a new version of a secret, which becomes the current one. Earlier versions stay. */
export async function putValue(
  parts: ValueParts,
  context: RequestContext,
  id: string,
  value: string,
): Promise<Secret> {
  return inOpenWorkspace(parts.store, context.principal.workspaceId, async (stillOpen, workspace) => {
    const secret = await findSecret(parts.store, context, 'secret:write', id);
    checkPrecondition(context.precondition, secret);
    const next = await nextVersion(parts, context, workspace, secret, value);
    await parts.trail.commit(originOf(context), [next.event('secret.value_updated', [stillOpen])]);
    return next.secret;
  });
}

/** The changes that make `value` the next version of a secret. */
export async function nextVersion(
  parts: ValueParts,
  context: RequestContext,
  workspace: Workspace,
  secret: Secret,
  value: string,
) {
  const { workspaceId, id: writer } = context.principal;
  const version = secret.currentVersion + 1;
  const keyArn = wrappingKeyArn(workspace, parts.deploymentKeys);
  const name = { workspaceId, secretId: secret.id, version };
  const sealed = await sealedVersion(parts, keyArn, name, value, writer);
  const now = timestamp(parts.clock.now());
  const change = update(secretKind, secret, {
    currentVersion: version,
    updatedAt: now,
    updatedBy: writer,
    valueUpdatedAt: now,
  });
  const event = (
    action: AuditEvent['action'],
    further: readonly Change[],
    detail: { readonly [key: string]: string } = {},
  ): AuditEvent => ({
    action,
    entity: { type: 'secret', id: secret.id },
    result: 'success',
    detail: { version: String(version), ...detail },
    changes: [change, sealed, ...further],
  });
  return { secret: change.entity, event };
}
