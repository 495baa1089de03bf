import type { CopyNote, SyncState } from '../../../core/secrets-sync/sync-records.ts';
import { newWorkspace, type Ports } from './ports.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');

/** What every `SyncRecords` must do. */
export function describeSyncRecords(getPorts: () => Ports): void {
  const records = () => getPorts().syncRecords;
  const state = (more: Partial<SyncState> = {}): SyncState => ({
    start: NOW,
    copies: 2,
    faults: 0,
    problems: [],
    ...more,
  });
  const note = (secretId: string, more: Partial<CopyNote> = {}): CopyNote => ({
    secretId,
    name: `prod/${secretId}`,
    start: NOW,
    lookedAt: NOW,
    ...more,
  });
  let workspaceId: string;
  beforeEach(() => {
    workspaceId = newWorkspace();
  });

  async function allNotes(of: string): Promise<CopyNote[]> {
    const found: CopyNote[] = [];
    let after: string | undefined;
    do {
      const page = await records().notes(of, after);
      found.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  it('has no state at first, and then the last one, whole', async () => {
    expect(await records().read(workspaceId)).toBeUndefined();
    const whole = state({
      lease: { owner: 'a', until: NOW },
      failing: { since: NOW, attempts: 2, nextAttemptAt: NOW, reason: 'role_refused' },
      finishedAt: NOW,
      problems: [{ secretId: 'sec_1', name: 'prod/db', reason: 'name_taken' }],
    });
    expect(await records().replace(workspaceId, 0, whole)).toBe('replaced');
    expect(await records().read(workspaceId)).toEqual({ version: 1, state: whole });
    expect(await records().replace(workspaceId, 1, state())).toBe('replaced');
    expect(await records().read(workspaceId)).toEqual({ version: 2, state: state() });
  });

  it('lets one of many replace the state that all have read', async () => {
    await records().replace(workspaceId, 0, state());
    expect(await records().replace(workspaceId, 0, state())).toBe('changed');
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map((copies) => records().replace(workspaceId, 1, state({ copies }))),
    );
    expect(outcomes.filter((outcome) => outcome === 'replaced')).toHaveLength(1);
  });

  it('keeps a note for each secret of each workspace, the last one, until it is forgotten', async () => {
    const failed = note('sec_2', { failing: { reason: 'quota_exceeded', attempts: 3 } });
    await records().replace(workspaceId, 0, state());
    await records().note(workspaceId, note('sec_1'));
    await records().note(workspaceId, note('sec_1', { version: 3 }));
    await records().note(workspaceId, failed);
    await records().note(newWorkspace(), note('sec_3'));
    expect(await allNotes(workspaceId)).toEqual([note('sec_1', { version: 3 }), failed]);
    await records().forget(workspaceId, 'sec_1');
    await records().forget(workspaceId, 'sec_1');
    expect(await allNotes(workspaceId)).toEqual([failed]);
    expect(await records().read(workspaceId)).toEqual({ version: 1, state: state() });
  });
}
