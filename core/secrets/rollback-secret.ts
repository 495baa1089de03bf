import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { once } from '../idempotency/once.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import { findAnySecret, findVersion } from './find-secret.ts';
import { openRecorded } from './open-version.ts';
import type { CreatingParts } from './parts.ts';
import { nextVersion } from './put-value.ts';
import type { Secret } from './secret.ts';

/**
 * Makes an earlier value current again, as a new version: history is only ever added to. The old value is opened and
 * sealed anew, since a data key belongs to one version; so this leaves a row before the decryption, and one after.
 */
export async function rollbackSecret(
  parts: CreatingParts,
  context: RequestContext,
  input: { readonly id: string; readonly version: number },
): Promise<Secret> {
  const route = `POST /secrets/${input.id}/rollback`;
  const request = { route, action: 'secret.rolled_back', entityType: 'secret', input } as const;
  return once(parts, context, request, {
    replay: (id) => findAnySecret(parts.store, context, 'secret:write', id),
    perform: async (record) => {
      const found = await findVersion(parts.store, context, 'secret:write', input.id, input.version);
      checkPrecondition(context.precondition, found.secret);
      const value = await openRecorded(parts, context, found, 'secret.rollback_requested');
      const { workspaceId } = context.principal;
      return inOpenWorkspace(parts.store, workspaceId, async (stillOpen, workspace) => {
        const next = await nextVersion(parts, context, workspace, found.secret, value);
        const changes = [stillOpen, ...record(input.id)];
        const event = next.event('secret.rolled_back', changes, { from: String(input.version) });
        await parts.trail.commit(originOf(context), [event]);
        return next.secret;
      });
    },
  });
}
