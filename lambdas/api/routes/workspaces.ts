import * as z from 'zod';
import { ROLES, type Role } from '../../../core/access/role.ts';
import { createWorkspace } from '../../../core/workspaces/create-workspace.ts';
import { deleteWorkspace } from '../../../core/workspaces/delete-workspace.ts';
import { getWorkspace } from '../../../core/workspaces/get-workspace.ts';
import { updateWorkspace } from '../../../core/workspaces/update-workspace.ts';
import {
  AUDIT_RETENTION_DAYS,
  auditRetentionDaysSchema,
  identityPolicySchema,
  type Workspace,
} from '../../../core/workspaces/workspace.ts';
import { clearedCookies } from '../http/cookies.ts';
import { guarded } from '../http/route.ts';
import { label } from './fields.ts';
import { etag } from './views.ts';

const workspaceView = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  policy: identityPolicySchema,
  auditRetentionDays: auditRetentionDaysSchema,
  /** The caller's. */
  role: z.enum(ROLES),
});

function viewWorkspace(workspace: Workspace, role: Role): z.infer<typeof workspaceView> {
  const { id, name, createdAt, policy, auditRetentionDays = AUDIT_RETENTION_DAYS.unlessSet } = workspace;
  return { id, name, createdAt, policy, auditRetentionDays, role };
}

const workspaceName = label(128);

export const workspaceRoutes = [
  guarded({
    method: 'POST',
    path: '/workspaces',
    summary: 'Makes one more workspace, with the caller as its owner',
    permission: 'workspace:create',
    action: 'workspace.created',
    idempotent: true,
    body: z.strictObject({ name: workspaceName }),
    responses: [{ status: 201, description: 'The workspace', schema: workspaceView }],
    handle: async ({ body }, context, vault) => {
      const { workspace, membership } = await createWorkspace(vault, context, body);
      return { status: 201, json: viewWorkspace(workspace, membership.role) };
    },
  }),
  guarded({
    method: 'GET',
    path: '/workspace',
    summary: 'The workspace, what it demands of its people, and the role of the caller in it',
    permission: 'workspace:read',
    action: 'workspace.read',
    responses: [{ status: 200, description: 'The workspace', schema: workspaceView }],
    handle: async (_, context, vault) => {
      const workspace = await getWorkspace(vault, context);
      return {
        status: 200,
        headers: etag(workspace),
        json: viewWorkspace(workspace, context.principal.role),
      };
    },
  }),
  guarded({
    method: 'PATCH',
    path: '/workspace',
    summary:
      'Changes the name of the workspace, what it demands of its people, or how long it keeps audit rows',
    permission: 'workspace:update',
    action: 'workspace.updated',
    conditional: true,
    body: z
      .strictObject({
        name: workspaceName.optional(),
        policy: identityPolicySchema
          .partial()
          .refine((policy) => Object.keys(policy).length > 0, 'must change something')
          .optional(),
        auditRetentionDays: auditRetentionDaysSchema.optional(),
      })
      .refine(
        (patch) => Object.keys(patch).length > 0,
        'must change something: name, policy or auditRetentionDays',
      ),
    responses: [{ status: 200, description: 'The workspace as it is now', schema: workspaceView }],
    handle: async ({ body }, context, vault) => {
      const workspace = await updateWorkspace(vault, context, body);
      return {
        status: 200,
        headers: etag(workspace),
        json: viewWorkspace(workspace, context.principal.role),
      };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace',
    summary: 'Deletes the workspace, once it holds no secrets and no good API keys; its audit trail stays',
    permission: 'workspace:delete',
    action: 'workspace.deleted',
    responses: [{ status: 204, description: 'Every session in it is over' }],
    handle: async (_, context, vault) => {
      await deleteWorkspace(vault, context);
      return { status: 204, cookies: clearedCookies() };
    },
  }),
];
