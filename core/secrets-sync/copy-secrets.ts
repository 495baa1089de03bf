import type { AuditEvent } from '../audit/event.ts';
import { decrypt, type OpenedVersion, openEvent, openFailed, openRetried } from '../secrets/open-version.ts';
import { secretKind, secretVersionKind, versionId } from '../secrets/secret.ts';
import { copyVersionId } from './copy-version-id.ts';
import { CopyRefused, type FoundCopy, type KeptAs } from './customer-secrets.ts';
import { targetText } from './secrets-sync.ts';
import {
  allDone,
  type CopyOutcome,
  commitSync,
  type DueCopy,
  failCopy,
  isSynced,
  noteInPlace,
  type SyncRun,
  stillSet,
  wholeName,
} from './sync-run.ts';

/** What there is to do for one copy. */
interface Work {
  readonly due: DueCopy;
  readonly opened: OpenedVersion;
  /** As it was found before the secret was read. */
  readonly found: FoundCopy | undefined;
  readonly versionId: string;
}

/**
 * Puts the current versions of some secrets in place. What lies there already is not opened: a look at the copy tells by
 * the id of its version. For the others the rows come first, in one commit, then the values are opened and put: an opening
 * follows its row within seconds.
 *
 * Each copy is looked at before its secret is read, and becomes current only if what was current then still is. So of two
 * runs at once, one with an older value never ends up on top of one with a newer value, however late it is.
 *
 * Of what was there before, nothing is kept: not the value before a rotation, nor that of a purged secret of the same name.
 *
 * A crash leaves a note without a version, or with an earlier one: the next run looks at the copy again, and sees to what
 * is still kept.
 *
 * @throws RefusedChanges when the sync was set otherwise, or ended: nothing was opened. VaultError `unavailable` when rows or
 * notes cannot be written.
 */
export async function copySecrets(run: SyncRun, due: readonly DueCopy[]): Promise<readonly CopyOutcome[]> {
  const planned = await allDone(due.map((one) => guarded(run, one, () => plan(run, one))));
  const toOpen = planned.filter(isWork).filter(needsValue);
  await commitSync(
    run,
    // One check is enough for all, and a transaction takes no second one of the same entity.
    toOpen.map(({ opened }, index) => ({
      ...syncedEvent(run, opened),
      ...(index === 0 ? { changes: [stillSet(run)] } : {}),
    })),
  );
  return allDone(
    planned.map(async (one) => (isWork(one) ? guarded(run, one.due, () => carryOut(run, one)) : one)),
  );
}

async function plan(run: SyncRun, due: DueCopy): Promise<Work | CopyOutcome> {
  const { parts, sync, account } = run;
  const found = await account.look(wholeName(run, due.name));
  const opened = await currentVersion(run, due.secretId);
  if (opened === undefined || !isSynced(sync, opened.secret)) return { outcome: 'left' };
  if (found !== undefined) await demandOwn(run, due, found);
  const id = copyVersionId(opened.version);
  if (found !== undefined && isInPlace(found, due, id)) {
    await noteInPlace(run, due, opened.version.version);
    return { outcome: 'in_place' };
  }
  if (due.note === undefined || due.note.start < sync.targetStart) {
    const { secretId, name } = due;
    const lookedAt = parts.clock.now();
    await parts.syncRecords.note(sync.workspaceId, { secretId, name, start: sync.start, lookedAt });
  }
  return { due, opened, found, versionId: id };
}

function isInPlace(found: FoundCopy, { secretId }: DueCopy, id: string): boolean {
  const { current, isDeleted, owner, kept } = found;
  return current === id && !isDeleted && owner?.subjectId === secretId && outdated(kept, id).length === 0;
}

/** What is kept besides the version that is to be current. */
function outdated(kept: FoundCopy['kept'], id: string): readonly (readonly [KeptAs, string])[] {
  return (['previous', 'latest'] as const)
    .map((as) => [as, kept[as] ?? id] as const)
    .filter(([, versionId]) => versionId !== id);
}

/**
 * Refuses what the vault did not make for this workspace. A copy of another secret of the same name counts as its own
 * once that one is purged: names are given again only then.
 */
async function demandOwn({ parts, sync }: SyncRun, due: DueCopy, { owner }: FoundCopy): Promise<void> {
  const isOurs = owner?.workspaceId === sync.workspaceId;
  if (isOurs && owner.subjectId === due.secretId) return;
  if (isOurs && (await parts.store.get(secretKind, sync.workspaceId, owner.subjectId)) === undefined) return;
  throw new CopyRefused('name_taken', 'There is a secret of that name which the vault did not make.');
}

async function currentVersion(
  { parts: { store }, sync: { workspaceId } }: SyncRun,
  secretId: string,
): Promise<OpenedVersion | undefined> {
  const found = await store.getWithNewest(secretKind, secretVersionKind, workspaceId, secretId);
  if (found === undefined) return undefined;
  const { parent: secret, newest } = found;
  // The newest version is the current one, unless a writer came between the reads of the two items.
  const version =
    newest?.version === secret.currentVersion
      ? newest
      : await store.get(secretVersionKind, workspaceId, versionId(secretId, secret.currentVersion));
  return version === undefined ? undefined : { secret, version };
}

/** A version that was put there, and did not become current, only has to. */
function needsValue({ found, versionId: id }: Work): boolean {
  return found?.versions.has(id) !== true;
}

async function carryOut(run: SyncRun, work: Work): Promise<CopyOutcome> {
  const { due, opened } = work;
  const value = needsValue(work) ? await openForCopy(run, opened) : undefined;
  await putInPlace(run, work, value);
  await noteInPlace(run, due, opened.version.version);
  return { outcome: 'copied' };
}

async function putInPlace(run: SyncRun, work: Work, value: string | undefined): Promise<void> {
  const { account, sync } = run;
  const { due, found, versionId: id } = work;
  const name = wholeName(run, due.name);
  const owner = { workspaceId: sync.workspaceId, subjectId: due.secretId };
  if (found === undefined) {
    const created = await account.create(name, owner, { id, value: value ?? '' });
    if (created === 'taken') throw changedMeanwhile();
    return;
  }
  if (found.isDeleted) await account.restore(name);
  if (found.owner?.subjectId !== due.secretId) await account.claim(name, owner);
  if (value !== undefined) await account.put(name, { id, value });
  if (found.current !== id && (await account.makeCurrent(name, id, found.current)) === 'changed')
    throw changedMeanwhile();
  for (const [as, versionId] of outdated(keptNow(found, id, value !== undefined), id)) {
    if ((await account.letGo(name, versionId, as)) === 'changed') throw changedMeanwhile();
  }
}

/** What is kept once a version was made current, and maybe put: it takes no second look to know. */
function keptNow({ current, kept }: FoundCopy, id: string, wasPut: boolean): FoundCopy['kept'] {
  return {
    ...kept,
    ...(current === undefined || current === id ? {} : { previous: current }),
    ...(wasPut ? { latest: id } : {}),
  };
}

function changedMeanwhile(): CopyRefused {
  return new CopyRefused('changed_meanwhile', 'Somebody else changed the copy at this moment.');
}

/** Opens a value whose row is written. That it failed, or took several calls, gets a row of its own. */
async function openForCopy(run: SyncRun, opened: OpenedVersion): Promise<string> {
  const { value, attempts } = await decrypt(run.parts, opened).catch(async (error) => {
    await commitSync(run, [openFailed(opened, 'secret.synced', error)]);
    throw error;
  });
  await commitSync(run, openRetried(opened, attempts));
  return value;
}

function syncedEvent({ parts, sync }: SyncRun, opened: OpenedVersion): AuditEvent {
  const event = openEvent(opened, 'secret.synced');
  return { ...event, detail: { ...event.detail, target: targetText(parts.syncSite, sync) } };
}

function isWork(planned: Work | CopyOutcome): planned is Work {
  return 'opened' in planned;
}

/** One copy's trouble is its own. */
async function guarded<T>(run: SyncRun, due: DueCopy, work: () => Promise<T>): Promise<T | CopyOutcome> {
  try {
    return await work();
  } catch (error) {
    return failCopy(run, due, error);
  }
}
