import { create, entityDigest, update } from '../../../core/kernel/entity.ts';
import { membershipKind } from '../../../core/members/membership.ts';
import { decideNamed, type KnownRows } from '../../../core/restore/decide.ts';
import type { NewestChange } from '../../../core/restore/newest-changes.ts';
import { installedVault } from '../../support/memory-vault.ts';

const WORKSPACE = 'ws_1';

test('a role that stands by a row which retention gave up is believed only if the log tells of it', async () => {
  const { vault } = await installedVault();
  const { entity: viewer } = create(membershipKind, {
    workspaceId: WORKSPACE,
    id: 'u1',
    email: 'a@example.com',
    role: 'viewer',
    joinedAt: '2026-01-01T00:00:00.000Z',
    invitedBy: 'setup',
    sessionGroup: 'group',
  });
  const { entity: signedOut } = update(membershipKind, viewer, { sessionGroup: 'next' });
  const told = { action: 'member.signed_out', seq: 9, ts: viewer.joinedAt, detail: {}, isBelieved: true };
  const newest: NewestChange = {
    kind: 'membership',
    id: 'u1',
    revision: 2,
    digest: entityDigest(signedOut),
    lane: 0,
    seq: 9,
    ts: viewer.joinedAt,
    isBelieved: true,
    isThere: true,
    history: [told],
  };
  const lanes = { '0': { throughSeq: 5, hash: 'a'.repeat(64), ts: viewer.joinedAt } };
  const floor = {
    kind: 'retentionFloor' as const,
    workspaceId: WORKSPACE,
    id: WORKSPACE,
    revision: 1,
    lanes,
    day: '2026-01-01',
    manifest: 'a'.repeat(64),
  };
  const decide = (isToldByLog: boolean) => {
    const rows: KnownRows = {
      workspaceId: WORKSPACE,
      ends: { '0': 9 },
      extraLanes: 0,
      isBelieved: ({ seq }) => seq > 5,
      floor,
      isExplained: async () => isToldByLog,
    };
    const parts = { ...vault, now: 0, dummyHash: 'nobody', newSessionGroup: () => 'fresh' };
    const entity = { ...viewer, role: 'owner' as const };
    const found = {
      kind: 'membership',
      workspaceId: WORKSPACE,
      id: 'u1',
      entity,
      exact: true,
      row: { lane: 0, seq: 3 },
    };
    return decideNamed(parts, rows, newest, found);
  };
  expect(await decide(false)).toMatchObject({ discord: 'unexplained', outcome: 'removed' });
  expect(await decide(true)).toMatchObject({ discord: 'behind', outcome: 'as_recorded' });
});
