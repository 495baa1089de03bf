import * as z from 'zod';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditEvent } from '../audit/event.ts';
import { inputProof, recordId, refuseOtherInput } from '../idempotency/once.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { type Change, create, type Kind, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { enterNamespace } from '../namespaces/enter-namespace.ts';
import { demandRoom } from '../plans/demand.ts';
import { countSecrets } from '../plans/plan-counts.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { newSecretChanges } from './create-secret.ts';
import { type ImportedValue, parseImport } from './parse-import.ts';
import type { CreatingParts } from './parts.ts';
import { nextVersion } from './put-value.ts';
import { nameId, type Secret, secretKind, secretNameKind } from './secret.ts';

export interface ImportInput {
  readonly format: 'env' | 'json';
  readonly namespace: string;
  readonly content: string;
  readonly onConflict: 'fail' | 'skip' | 'upsert';
}

const importedSchema = z.strictObject({
  name: z.string(),
  id: z.string(),
  outcome: z.enum(['created', 'updated', 'skipped']),
});
export type ImportedSecret = z.infer<typeof importedSchema>;

/** How far an import with an `Idempotency-Key` has come, so that repeating the request goes on from there. */
const importJobSchema = z.strictObject({
  kind: z.literal('importJob'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  inputHmac: z.string(),
  hmacKeyId: z.string(),
  done: z.array(importedSchema),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type ImportJob = z.infer<typeof importJobSchema>;

export const importJobKind: Kind<ImportJob> = {
  name: 'importJob',
  schema: importJobSchema,
  expiry: (job) => job.expiresAt,
};

/** Secrets in one commit: with their rows, versions and names they fit one transaction of 100 items and 4 MB. */
const SLICE = 20;
const WIDTH = 10;

/**
 * Imports a file of credentials into a namespace. The whole file is checked before anything is written; then it is
 * committed in slices of 20. If that is interrupted, repeating the request with the same `Idempotency-Key` does the
 * rest; without one, `onConflict: "skip"` does.
 *
 * @throws VaultError `invalid_request` for faults in the content; `import_conflict` when secrets are there already and
 * `onConflict` is `fail`, or when one of them is deleted but not yet purged; `plan_limit_exceeded` when there is no room for
 * all that are new.
 */
export async function importSecrets(
  parts: CreatingParts,
  context: RequestContext,
  input: ImportInput,
): Promise<readonly ImportedSecret[]> {
  authorize(context.principal, 'secret:write', input.namespace);
  const values = parseImport(input.format, input.content);
  const progress = await startOrResume(parts, context, input);
  const done = [...progress.done];
  const open = values.slice(done.length);
  const known = await refuseConflicts(parts, context, input, open);
  const { workspaceId } = context.principal;
  let used = open.length === 0 ? 0 : await parts.bookkeeping.secretCount(workspaceId);

  for (let start = 0; start < open.length; start += SLICE) {
    const slice = open.slice(start, start + SLICE);
    const more = open.slice(start).filter(({ name }) => !known.has(name)).length;
    const imported = await inOpenWorkspace(parts.store, workspaceId, async (stillOpen, workspace) => {
      if (more > 0) demandRoom(workspace, parts.defaultPlan, 'secrets', { used, more });
      const existing = await existingSecrets(parts, context, input.namespace, slice);
      const prepared = await concurrently(slice, WIDTH, (value) =>
        prepare(parts, context, workspace, input, value, existing.get(value.name)),
      );
      const outcomes = prepared.map((each) => each.imported);
      const marks = progress.advance([...done, ...outcomes]);
      await enterNamespace(parts, context, input.namespace, (entry) =>
        parts.trail.commit(originOf(context), [
          ...entry.events,
          sliceEvent(context, prepared.length, values.length, [
            stillOpen,
            ...entry.changes,
            ...marks.changes,
          ]),
          ...prepared.flatMap(({ event }) => (event === undefined ? [] : [event])),
        ]),
      );
      marks.settle();
      return outcomes;
    });
    done.push(...imported);
    const created = imported.filter(({ outcome }) => outcome === 'created').length;
    // What others have made meanwhile counts for the rest.
    used = (await countSecrets(parts, workspaceId, created)) ?? used + created;
  }
  if (open.length === 0) {
    await parts.trail.commit(originOf(context), [sliceEvent(context, 0, values.length, [])]);
  }
  return done;
}

function sliceEvent(
  { principal }: RequestContext,
  count: number,
  of: number,
  changes: readonly Change[],
): AuditEvent {
  return {
    action: 'secret.imported',
    entity: { type: 'workspace', id: principal.workspaceId },
    result: 'success',
    detail: { count: String(count), of: String(of) },
    changes,
  };
}

interface Progress {
  readonly done: readonly ImportedSecret[];
  /** The change that notes how far the import has come; to be settled once it is committed. */
  readonly advance: (done: readonly ImportedSecret[]) => {
    readonly changes: readonly Change[];
    readonly settle: () => void;
  };
}

async function startOrResume(
  parts: CreatingParts,
  context: RequestContext,
  input: ImportInput,
): Promise<Progress> {
  if (context.idempotencyKey === undefined)
    return { done: [], advance: () => ({ changes: [], settle: () => undefined }) };
  const { workspaceId } = context.principal;
  const id = recordId(context, 'POST /secrets/import', context.idempotencyKey);
  const stored = await parts.store.get(importJobKind, workspaceId, id);
  const alive = stored !== undefined && stored.expiresAt > parts.clock.now();
  if (alive) await refuseOtherInput(parts.derivedKeys, stored, input);
  const proof = await inputProof(parts.derivedKeys, input);
  let job = stored;
  return {
    done: alive ? stored.done : [],
    advance: (done) => {
      const content = { ...proof, done: [...done], expiresAt: parts.clock.now() + DAY_MS };
      const change =
        job === undefined
          ? create(importJobKind, { workspaceId, id, ...content })
          : update(importJobKind, job, content);
      return {
        changes: [change],
        settle: () => {
          job = change.entity;
        },
      };
    },
  };
}

/** Gives those that are there already, by name, where they are no conflict. */
async function refuseConflicts(
  parts: CreatingParts,
  context: RequestContext,
  { namespace, onConflict }: ImportInput,
  values: readonly ImportedValue[],
): Promise<ReadonlyMap<string, Secret>> {
  const existing = await existingSecrets(parts, context, namespace, values);
  const blocked = [...existing.values()].filter(
    (secret) => onConflict === 'fail' || secret.deletedAt !== undefined,
  );
  if (blocked.length > 0) throw conflict(blocked);
  return existing;
}

function conflict(blocked: readonly Secret[]): VaultError {
  return new VaultError(
    'import_conflict',
    'Some secrets are there already. Choose "skip" or "upsert", or purge the deleted ones first.',
    {
      errors: blocked.slice(0, 100).map(({ name, deletedAt }) => ({
        path: name,
        reason:
          deletedAt === undefined ? 'exists already' : 'is deleted, but keeps its name until it is purged',
      })),
    },
  );
}

const MAX_KEYS_PER_READ = 100;

async function existingSecrets(
  { store }: CreatingParts,
  { principal: { workspaceId } }: RequestContext,
  namespace: string,
  values: readonly ImportedValue[],
): Promise<ReadonlyMap<string, Secret>> {
  const found = new Map<string, Secret>();
  for (let start = 0; start < values.length; start += MAX_KEYS_PER_READ) {
    const ids = values.slice(start, start + MAX_KEYS_PER_READ).map(({ name }) => nameId(namespace, name));
    const names = await store.getMany(secretNameKind, workspaceId, ids);
    const secretIds = names.map((name) => name.secretId);
    const secrets = secretIds.length === 0 ? [] : await store.getMany(secretKind, workspaceId, secretIds);
    for (const secret of secrets) found.set(secret.name, secret);
  }
  return found;
}

async function prepare(
  parts: CreatingParts,
  context: RequestContext,
  workspace: Workspace,
  { namespace, onConflict }: ImportInput,
  { name, value }: ImportedValue,
  existing: Secret | undefined,
): Promise<{ readonly imported: ImportedSecret; readonly event?: AuditEvent }> {
  if (existing === undefined) {
    const made = await newSecretChanges(parts, context, workspace, { namespace, name, value });
    const { id } = made.secret.entity;
    const changes = [made.secret, made.version, made.name];
    return {
      imported: { name, id, outcome: 'created' },
      event: { action: 'secret.created', entity: { type: 'secret', id }, result: 'success', changes },
    };
  }
  const { id } = existing;
  // Somebody made or deleted it after the whole import was checked.
  if (onConflict === 'fail' || existing.deletedAt !== undefined) throw conflict([existing]);
  if (onConflict !== 'upsert') return { imported: { name, id, outcome: 'skipped' } };
  const next = await nextVersion(parts, context, workspace, existing, value);
  return { imported: { name, id, outcome: 'updated' }, event: next.event('secret.value_updated', []) };
}
