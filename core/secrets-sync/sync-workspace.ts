import { RefusedChanges } from '../audit/append.ts';
import { listPages } from '../kernel/list-pages.ts';
import { secretKind, secretList } from '../secrets/secret.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { copySecrets } from './copy-secrets.ts';
import { roleFault } from './customer-role.ts';
import { CopyRefused, type SecretsAccount } from './customer-secrets.ts';
import { isDue } from './due-copies.ts';
import { removeCopy } from './remove-copies.ts';
import { type SecretsSync, secretsSyncKind } from './secrets-sync.ts';
import { settleCopies, settleFailedRun } from './settle-run.ts';
import type { CopyNote, StoredSyncState, SyncState } from './sync-records.ts';
import {
  allDone,
  type CopyOutcome,
  type DueCopy,
  dueCopy,
  isSynced,
  type SyncParts,
  type SyncRun,
} from './sync-run.ts';

export interface SyncReport {
  readonly copied: number;
  readonly removed: number;
  readonly failed: number;
}

const NOTHING: SyncReport = { copied: 0, removed: 0, failed: 0 };

/** Longer than the function lives that holds it. */
const LEASE_MS = 6 * 60_000;
/** Copies worked on side by side: Secrets Manager takes 50 writes a second in one account and region. */
const WIDTH = 5;
/** So many failures in one run say more about the account or the key than about a copy. */
const MAX_FAILURES = 10;
const SECRETS_PER_READ = 500;

/**
 * Makes the copies of a workspace what its sync says: changed values are put there, and what is not to be there any more is
 * taken away. What did not change costs nothing but its part of the lists: no look at the copy, and no opening.
 *
 * A lease keeps two runs from doing the same work twice; that neither spoils the other's does not depend on it. A crash
 * leaves a lease that runs out, and notes that say of which copies nobody knows.
 *
 * @param mayGoOn asked before each few copies; whatever is left is for the next run.
 * @throws VaultError what the vault itself has trouble with. A customer's account that fails is none of that.
 */
export async function syncWorkspace(
  parts: SyncParts,
  workspaceId: string,
  mayGoOn: () => boolean,
): Promise<SyncReport> {
  const sync = await parts.store.get(secretsSyncKind, workspaceId, workspaceId);
  if (sync === undefined || (await isClosed(parts, workspaceId))) return NOTHING;
  const leased = await takeLease(parts, sync);
  if (leased === undefined) return NOTHING;
  const { lease: _held, ...earlier } = leased.state;
  let next: SyncState = earlier;
  try {
    const { state, report } = await work(parts, sync, earlier, mayGoOn);
    next = state;
    return report;
  } finally {
    // Should this fail, the lease runs out, and what was noted of the copies counts.
    await parts.syncRecords.replace(workspaceId, leased.version, next).catch(() => undefined);
  }
}

async function isClosed({ store }: SyncParts, workspaceId: string): Promise<boolean> {
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  return workspace === undefined || workspace.deletedAt !== undefined;
}

/** `undefined` while somebody else works, or an earlier failure says to wait. */
async function takeLease(
  { syncRecords, clock, random }: SyncParts,
  { workspaceId, start }: SecretsSync,
): Promise<StoredSyncState | undefined> {
  const stored = await syncRecords.read(workspaceId);
  const now = clock.now();
  if (stored?.state.lease !== undefined && stored.state.lease.until > now) return undefined;
  const known = stored?.state.start === start ? stored.state : { start, copies: 0, faults: 0, problems: [] };
  if (known.failing !== undefined && known.failing.nextAttemptAt > now) return undefined;
  const lease = { owner: Buffer.from(random.bytes(8)).toString('hex'), until: now + LEASE_MS };
  const state = { ...known, lease };
  const version = stored?.version ?? 0;
  const replaced = await syncRecords.replace(workspaceId, version, state);
  return replaced === 'replaced' ? { version: version + 1, state } : undefined;
}

interface Worked {
  readonly state: SyncState;
  readonly report: SyncReport;
}

async function work(
  parts: SyncParts,
  sync: SecretsSync,
  earlier: SyncState,
  mayGoOn: () => boolean,
): Promise<Worked> {
  const account = await openAccount(parts, sync);
  if (account instanceof CopyRefused) {
    return { state: await settleFailedRun(parts, sync, earlier, account.fault), report: NOTHING };
  }
  try {
    const run = { parts, sync, account };
    const survey = await surveyCopies(run);
    const copied = await inSlices(survey.due, mayGoOn, (slice) => copySecrets(run, slice));
    const removed = await inSlices(survey.unwanted, mayGoOn, (slice) =>
      allDone(slice.map((note) => removeCopy(run, note))),
    );
    const outcomes = [...copied.outcomes, ...removed.outcomes];
    const count = (outcome: CopyOutcome['outcome']) =>
      outcomes.filter((one) => one.outcome === outcome).length;
    const state = await settleCopies(parts, sync, earlier, {
      ...survey,
      outcomes,
      isComplete: copied.isComplete && removed.isComplete,
    });
    return {
      state,
      report: { copied: count('copied'), removed: count('removed'), failed: count('failed') },
    };
  } finally {
    account.close();
  }
}

async function openAccount(
  { customerSecrets, syncSite }: SyncParts,
  sync: SecretsSync,
): Promise<SecretsAccount | CopyRefused> {
  if (sync.roleArn !== undefined && roleFault(sync.roleArn, syncSite) !== undefined) {
    return new CopyRefused('account_not_allowed', 'The vault does not copy to this account any more.');
  }
  try {
    return await customerSecrets.open(sync);
  } catch (error) {
    if (error instanceof CopyRefused) return error;
    throw error;
  }
}

interface Survey {
  /** Copies to be seen to; those that failed before come last, so that they hold up no others. */
  readonly due: readonly DueCopy[];
  readonly unwanted: readonly CopyNote[];
  /** Copies that nothing is known to be wrong with. */
  readonly inPlace: number;
  /** Copies that failed, and are not due yet. */
  readonly waiting: readonly CopyNote[];
}

/** Compares what is to be there with what is known to be there, by two lists: of secrets, and of notes. */
async function surveyCopies({ parts, sync }: SyncRun): Promise<Survey> {
  const now = parts.clock.now();
  const notes = await readNotes(parts, sync.workspaceId);
  const due: DueCopy[] = [];
  const failed: DueCopy[] = [];
  const waiting: CopyNote[] = [];
  let inPlace = 0;
  for await (const secret of wantedSecrets(parts, sync)) {
    const note = notes.get(secret.id);
    notes.delete(secret.id);
    if (isDue(sync, secret, note, now))
      (note?.failing === undefined ? due : failed).push(dueCopy(secret, note));
    else if (note?.failing !== undefined) waiting.push(note);
    else inPlace += 1;
  }
  const unwanted: CopyNote[] = [];
  for (const note of notes.values()) (isDue(sync, undefined, note, now) ? unwanted : waiting).push(note);
  return { due: [...due, ...failed], unwanted, inPlace, waiting };
}

async function readNotes({ syncRecords }: SyncParts, workspaceId: string): Promise<Map<string, CopyNote>> {
  const notes = new Map<string, CopyNote>();
  let after: string | undefined;
  do {
    const page = await syncRecords.notes(workspaceId, after);
    for (const note of page.items) notes.set(note.secretId, note);
    after = page.next;
  } while (after !== undefined);
  return notes;
}

async function* wantedSecrets({ store }: SyncParts, sync: SecretsSync) {
  for (const namespace of sync.namespaces) {
    const query = { list: secretList(sync.workspaceId), prefix: `${namespace}/`, limit: SECRETS_PER_READ };
    for await (const page of listPages(store, secretKind, query))
      for (const secret of page) if (isSynced(sync, secret)) yield secret;
  }
}

/** What somebody decides about the sync counts at once: the rest is for a run that knows it. */
function stopIfChanged(error: unknown): undefined {
  if (!(error instanceof RefusedChanges)) throw error;
}

/** Works on a few at a time, until all are done, time is up, too much fails, or somebody sets the sync otherwise. */
async function inSlices<T>(
  items: readonly T[],
  mayGoOn: () => boolean,
  workOn: (slice: readonly T[]) => Promise<readonly CopyOutcome[]>,
): Promise<{ readonly outcomes: readonly CopyOutcome[]; readonly isComplete: boolean }> {
  const outcomes: CopyOutcome[] = [];
  let failures = 0;
  for (let at = 0; at < items.length; at += WIDTH) {
    if (failures >= MAX_FAILURES || !mayGoOn()) return { outcomes, isComplete: false };
    const slice = await workOn(items.slice(at, at + WIDTH)).catch(stopIfChanged);
    if (slice === undefined) return { outcomes, isComplete: false };
    failures += slice.filter(({ outcome }) => outcome === 'failed').length;
    outcomes.push(...slice);
  }
  return { outcomes, isComplete: true };
}
