import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { RefusedChanges } from '../audit/append.ts';
import { wrappingKeyArn } from '../encryption-keys/wrapping-key.ts';
import { once } from '../idempotency/once.ts';
import { create } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { enterNamespace } from '../namespaces/enter-namespace.ts';
import { demandRoom } from '../plans/demand.ts';
import { countSecrets } from '../plans/plan-counts.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { findAnySecret } from './find-secret.ts';
import type { CreatingParts } from './parts.ts';
import { nameId, type Secret, secretKind, secretNameKind } from './secret.ts';
import { sealedVersion } from './write-version.ts';

export interface NewSecret {
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly isCUI?: boolean | undefined;
  /** Opening it raises an alert; this never changes, and neither views nor the trail tell of it before. */
  readonly decoy?: boolean | undefined;
}

/**
 * @throws VaultError `forbidden`; `name_taken`; `precondition_failed` instead, if the request said `If-None-Match: *`;
 * `plan_limit_exceeded`.
 */
export async function createSecret(
  parts: CreatingParts,
  context: RequestContext,
  input: NewSecret,
): Promise<Secret> {
  const { principal } = context;
  authorize(principal, 'secret:write', input.namespace);
  if (input.decoy) authorize(principal, 'decoy:manage');
  const request = { route: 'POST /secrets', action: 'secret.created', entityType: 'secret', input } as const;
  return once(parts, context, request, {
    replay: (id) => findAnySecret(parts.store, context, 'secret:write', id),
    perform: async (record) => {
      const { workspaceId } = principal;
      const made = await inOpenWorkspace(parts.store, workspaceId, async (stillOpen, workspace) => {
        const [used] = await Promise.all([
          parts.bookkeeping.secretCount(workspaceId),
          refuseTakenName(parts, context, input),
        ]);
        demandRoom(workspace, parts.defaultPlan, 'secrets', { used });
        const changes = await newSecretChanges(parts, context, workspace, input);
        try {
          await enterNamespace(parts, context, input.namespace, (entry) =>
            parts.trail.commit(originOf(context), [
              ...entry.events,
              {
                action: 'secret.created',
                entity: { type: 'secret', id: changes.secret.entity.id },
                result: 'success',
                changes: [
                  changes.secret,
                  changes.version,
                  changes.name,
                  stillOpen,
                  ...entry.changes,
                  ...record(changes.secret.entity.id),
                ],
              },
            ]),
          );
        } catch (error) {
          // The name was free when it was looked up, and is not any more: say what a later look would have said.
          if (error instanceof RefusedChanges && error.includes(secretNameKind.name)) {
            await refuseTakenName(parts, context, input);
          }
          throw error;
        }
        return changes.secret.entity;
      });
      await countSecrets(parts, workspaceId, 1);
      return made;
    },
  });
}

/** The entities that make a new secret: its metadata, its first version, and its name. */
export async function newSecretChanges(
  parts: CreatingParts,
  context: RequestContext,
  workspace: Workspace,
  input: NewSecret,
) {
  const { workspaceId, id: createdBy } = context.principal;
  const { namespace, name, description } = input;
  const id = newId('sec', parts.random);
  const now = timestamp(parts.clock.now());
  const version = await sealedVersion(
    parts,
    wrappingKeyArn(workspace, parts.deploymentKeys),
    { workspaceId, secretId: id, version: 1 },
    input.value,
    createdBy,
  );
  const secret = create(secretKind, {
    workspaceId,
    id,
    namespace,
    name,
    ...(description === undefined ? {} : { description }),
    tags: [...(input.tags ?? [])],
    isCUI: input.isCUI ?? false,
    ...(input.decoy ? { decoy: true } : {}),
    currentVersion: 1,
    createdAt: now,
    createdBy,
    updatedAt: now,
    updatedBy: createdBy,
    valueUpdatedAt: now,
  });
  return {
    secret,
    version,
    name: create(secretNameKind, { workspaceId, id: nameId(namespace, name), secretId: id }),
  };
}

async function refuseTakenName(
  { store }: CreatingParts,
  { principal, precondition }: RequestContext,
  { namespace, name }: NewSecret,
): Promise<void> {
  const taken = await store.get(secretNameKind, principal.workspaceId, nameId(namespace, name));
  checkPrecondition(precondition, taken);
  if (taken === undefined) return;
  throw new VaultError(
    'name_taken',
    `There is a secret ${name} in ${namespace} already. Write a new version of it, or choose another name; ` +
      'a deleted secret keeps its name until it is purged.',
  );
}
