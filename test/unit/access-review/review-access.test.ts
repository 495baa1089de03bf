import {
  type ReviewParts,
  reviewAccess,
  reviewDeployment,
} from '../../../core/access-review/review-access.ts';
import { reviewStateSchema } from '../../../core/access-review/review-state.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { mfaKind } from '../../../core/identity/mfa.ts';
import { create } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { deleteWorkspace } from '../../../core/workspaces/delete-workspace.ts';
import { addKey, addWorkspace } from '../../support/api-world.ts';
import { memoryJobStates, SPOILED_STATE } from '../../support/job-states.ts';
import { callerWith, type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, loggedIn } from '../../support/people.ts';
import { alertsOf, recordedAlerts } from '../../support/raised-alerts.ts';

const DAY = 24 * 60 * 60_000;
const ADA = 'ada@example.com';
const FAR = '2099-01-01T00:00:00.000Z';

let vault: MemoryVault;
let workspaceId: string;
let parts: ReviewParts;
beforeEach(async () => {
  vault = memoryVault();
  workspaceId = await addWorkspace(vault);
  parts = {
    ...vault,
    alerts: recordedAlerts(vault, 'access-review'),
    reviews: memoryJobStates(vault.tables, reviewStateSchema),
  };
});

/** A day passes, and at its end there is a review. */
async function review(days = 1): Promise<void> {
  for (let day = 0; day < days; day += 1) {
    vault.clock.advance(DAY);
    const worked = await reviewAccess(parts, workspaceId);
    if (worked.status !== 'worked') throw new Error(`The review ended ${worked.status}.`);
  }
}
const due = async () => (await alertsOf(vault, workspaceId))[0];
const reviewed = () => rowsOf(vault, workspaceId).filter(({ action }) => action === 'access.reviewed');
const dormantMembers = () => reviewed().at(-1)?.detail['dormantMembers'];

async function enrolled(userId: string): Promise<void> {
  const bytes = new Uint8Array(1);
  const sealed = {
    format: '1',
    ciphertext: bytes,
    nonce: bytes,
    tag: bytes,
    wrappedKey: bytes,
    keyArn: 'x',
  } as const;
  const now = timestamp(vault.clock.now());
  const mfa = create(mfaKind, {
    workspaceId: PLATFORM_WORKSPACE,
    id: userId,
    version: 1,
    ...sealed,
    startedAt: now,
    confirmedAt: now,
    lastStep: 0,
    backupCodes: [],
  });
  await vault.trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'test'), [
    { action: 'user.mfa_enabled', entity: { type: 'user', id: userId }, result: 'success', changes: [mfa] },
  ]);
}

describe('a review', () => {
  it('asks for nothing where all is well, and leaves its row', async () => {
    const { id } = await addPerson(vault, workspaceId, { email: ADA, role: 'owner' });
    await enrolled(id);
    await addKey(vault, workspaceId, { role: 'viewer', expiresAt: FAR });
    await review();
    expect(await due()).toBeUndefined();
    expect(reviewed()).toEqual([
      expect.objectContaining({
        actor: { type: 'system', id: 'access-review' },
        entity: { type: 'workspace', id: workspaceId },
        detail: {
          keys: '1',
          members: '1',
          dormantKeys: '0',
          dormantMembers: '0',
          keysWithoutExpiry: '0',
          ownersWithoutMfa: '0',
        },
      }),
    ]);
  });

  it('tells of dormant keys and keys without expiry, as an alert that can wait', async () => {
    const forever = await addKey(vault, workspaceId, { role: 'viewer' });
    const quiet = await addKey(vault, workspaceId, { role: 'viewer', expiresAt: FAR });
    vault.clock.advance(89 * DAY);
    await vault.bookkeeping.markKeyUsed(workspaceId, forever.id, vault.clock.now());
    await review();
    expect(await due()).toMatchObject({
      tier: 'info',
      alertKind: 'access_review_due',
      subject: 'access to the workspace',
      seen: '1 key not used for 90 days, 1 key without expiry.',
      detail: {
        dormantKeys: '1',
        keysWithoutExpiry: '1',
        dormantMembers: '0',
        ownersWithoutMfa: '0',
        keyIds: `${quiet.id} ${forever.id}`,
      },
    });
  });

  it('leaves honeypots and keys that work no more alone', async () => {
    await addKey(vault, workspaceId, { role: 'owner', honeypot: true });
    await addKey(vault, workspaceId, { role: 'owner', revokedAt: '2026-01-01T00:00:00.000Z' });
    await addKey(vault, workspaceId, { role: 'owner', expiresAt: '2026-01-02T00:00:00.000Z' });
    vault.clock.advance(200 * DAY);
    await review();
    expect(await due()).toBeUndefined();
    expect(reviewed().at(-1)?.detail).toMatchObject({ keys: '0' });
  });

  it('is told once a week, and once more when owners without a second factor make it worse', async () => {
    // 2026-01-05 is a Monday.
    await addKey(vault, workspaceId, { role: 'viewer' });
    vault.clock.advance(3 * DAY);
    await review(2);
    expect(await due()).toMatchObject({ tier: 'info', count: 1 });
    const { id } = await addPerson(vault, workspaceId, { email: ADA, role: 'owner' });
    await review(5);
    expect(await due()).toMatchObject({
      tier: 'warning',
      count: 2,
      seen: '1 key without expiry, 1 owner without a second factor.',
      detail: { ownersWithoutMfa: '1', ownerIds: id },
    });
    await review();
    expect(await due()).toMatchObject({ count: 3 });
    expect(reviewed()).toHaveLength(8);
  });

  it('is done once a day, whoever asks', async () => {
    await review();
    expect((await reviewAccess(parts, workspaceId)).status).toBe('idle');
    expect(reviewed()).toHaveLength(1);
  });

  it.each(['before', 'after'] as const)(
    'raises nothing twice when a call is lost %s it took effect',
    async (fault) => {
      await addKey(vault, workspaceId, { role: 'viewer' });
      await addPerson(vault, workspaceId, { email: ADA, role: 'owner' });
      await loggedIn(vault, ADA);
      vault.clock.advance(95 * DAY);
      let weeks = 0;
      for (let lost = 1, calls = lost; calls >= lost; lost += 1) {
        calls = 0;
        weeks += 1;
        vault.clock.advance(7 * DAY);
        vault.tables.faults = async () => {
          calls += 1;
          return calls === lost ? fault : 'none';
        };
        for (let tries = 0; tries < 4; tries += 1) {
          const { status } = await reviewAccess(parts, workspaceId);
          if (status === 'idle') break;
          if (status === 'busy') vault.clock.advance(6 * 60_000);
        }
        vault.tables.faults = async () => 'none';
        expect(await due()).toMatchObject({ count: weeks });
      }
    },
  );
});

describe('a member', () => {
  it('who was here within ninety days is not dormant, and after that is, although no session is left', async () => {
    const { id } = await addPerson(vault, workspaceId, { email: ADA, role: 'viewer' });
    await review(9);
    await loggedIn(vault, ADA);
    await review(35);
    // What a table's time to live removes.
    for (const [key, { entity }] of vault.tables.entities)
      if (entity.kind === 'session') vault.tables.entities.delete(key);
    await review(54);
    expect(dormantMembers()).toBe('0');
    await review();
    expect(dormantMembers()).toBe('1');
    expect(await due()).toMatchObject({ detail: { memberIds: id } });
  });

  it('who logged out is seen, too', async () => {
    await addPerson(vault, workspaceId, { email: ADA, role: 'viewer' });
    await review(60);
    const ada = await loggedIn(vault, ADA);
    await ada.post('/auth/logout');
    await review(60);
    expect(dormantMembers()).toBe('0');
  });

  it('is seen by the last use of a session, not by its beginning', async () => {
    await addPerson(vault, workspaceId, { email: ADA, role: 'viewer' });
    await loggedIn(vault, ADA);
    await review(10);
    const session = [...vault.tables.entities.values()].find(({ entity }) => entity.kind === 'session');
    await vault.bookkeeping.startSession(
      session?.entity.id ?? '',
      vault.clock.now(),
      vault.clock.now() + DAY,
    );
    await review(89);
    expect(dormantMembers()).toBe('0');
    await review();
    expect(dormantMembers()).toBe('1');
  });

  it('who is only in another workspace is dormant here', async () => {
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    await addPerson(vault, workspaceId, { email: ADA, role: 'viewer' });
    for (let logins = 0; logins < 5; logins += 1) {
      await review(18);
      await loggedIn(vault, ADA);
    }
    expect(dormantMembers()).toBe('1');
  });

  it('who joined long before the first review is given the time in which sessions tell nothing any more', async () => {
    await addPerson(vault, workspaceId, { email: ADA, role: 'viewer' });
    vault.clock.advance(365 * DAY);
    await review(60);
    expect(dormantMembers()).toBe('0');
    await review();
    expect(dormantMembers()).toBe('1');
  });
});

describe('the deployment', () => {
  it('reviews every workspace but deleted ones, and goes on when one fails', async () => {
    const other = await addWorkspace(vault);
    const gone = await addWorkspace(vault);
    await deleteWorkspace(vault, callerWith({ workspaceId: gone, role: 'owner' }));
    const { reviews } = parts;
    const broken = { ...parts, reviews: (id: string) => (id === other ? SPOILED_STATE : reviews(id)) };
    const told: string[] = [];
    for await (const { workspaceId: id, status } of reviewDeployment(broken, () => true))
      told.push(`${id} ${status}`);
    expect(told.toSorted()).toEqual([`${other} failed`, `${workspaceId} worked`].toSorted());
  });
});
