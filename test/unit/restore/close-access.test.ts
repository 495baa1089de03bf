import { mfaKind } from '../../../core/identity/mfa.ts';
import { userKind } from '../../../core/identity/user.ts';
import { create, type Entity } from '../../../core/kernel/entity.ts';
import { membershipKind } from '../../../core/members/membership.ts';
import { closingOf, LOCKED_STEP } from '../../../core/restore/close-access.ts';
import type { ToldChange } from '../../../core/restore/newest-changes.ts';

const AT = '2026-01-01T00:00:00.000Z';
const parts = { now: Date.parse(AT), dummyHash: 'nobody', newSessionGroup: () => 'fresh' };

function told(...actions: readonly (string | readonly [string, ToldChange['detail']])[]): ToldChange[] {
  return actions.map((one, index) => {
    const [action, detail] = typeof one === 'string' ? [one, {}] : one;
    return { action, detail, seq: index + 1, ts: AT, isBelieved: true };
  });
}

const user = create(userKind, {
  workspaceId: '_platform',
  id: 'u1',
  email: 'a@example.com',
  createdAt: AT,
  passwordHash: 'old',
  passwordChangedAt: AT,
  passwordProfiles: ['composition'],
  passwordHistory: ['old'],
  epoch: 4,
  workspaceIds: ['ws_1'],
}).entity;

describe('a person', () => {
  test('who only joined a workspace since goes on as before', () => {
    const since = told(['user.joined_workspace', { workspaceId: 'ws_2' }]);
    expect(closingOf(parts, user, since)).toEqual({
      outcome: 'as_recorded',
      patch: { workspaceIds: ['ws_1', 'ws_2'] },
    });
  });

  test('whose sessions were ended keeps the password, and no session', () => {
    expect(closingOf(parts, user, told('session.all_revoked', 'user.mfa_enabled'))).toMatchObject({
      outcome: 'as_recorded',
      patch: { epoch: 7 },
    });
  });

  test.each([
    { name: 'whose password was changed', since: told('user.password_changed') },
    { name: 'of whom nobody knows what changed', since: undefined },
    { name: 'who was changed in a way that is not known yet', since: told('user.renamed') },
  ])('$name has no password any more', ({ since }) => {
    expect(closingOf(parts, user, since)).toEqual({
      outcome: 'closed',
      patch: { workspaceIds: ['ws_1'], epoch: 6, passwordHash: 'nobody', passwordHistory: ['nobody', 'old'] },
    });
  });
});

const membership: Entity = create(membershipKind, {
  workspaceId: 'ws_1',
  id: 'u1',
  email: 'a@example.com',
  role: 'owner',
  joinedAt: AT,
  invitedBy: 'setup',
  sessionGroup: 'old',
}).entity;

describe('a membership', () => {
  const sessions = { sessionGroup: 'fresh', signedOutAt: AT };

  test('gets the role that rows tell, and new sessions only', () => {
    const since = told(['member.role_changed', { from: 'owner', to: 'viewer' }], 'member.signed_out');
    expect(closingOf(parts, membership, since)).toEqual({
      outcome: 'as_recorded',
      patch: { role: 'viewer', ...sessions },
    });
    expect(closingOf(parts, membership, told('member.signed_out'))).toEqual({
      outcome: 'as_recorded',
      patch: sessions,
    });
  });

  test.each([
    { name: 'nothing', since: undefined },
    { name: 'a role that is none', since: told(['member.role_changed', { to: 'king' }]) },
    { name: 'that the person came anew', since: told('member.joined') },
  ])('of which rows tell $name is removed', ({ since }) => {
    expect(closingOf(parts, membership, since)).toEqual({ outcome: 'removed' });
  });
});

describe('a second factor', () => {
  const bytes = new Uint8Array(1);
  const pending = create(mfaKind, {
    workspaceId: '_platform',
    id: 'u1',
    version: 1,
    format: '1',
    ciphertext: bytes,
    nonce: bytes,
    tag: bytes,
    wrappedKey: bytes,
    keyArn: 'arn',
    startedAt: AT,
    lastStep: 3,
    backupCodes: [{ hash: 'a' }, { hash: 'b', usedAt: '2025-01-01T00:00:00.000Z' }],
  }).entity;
  const confirmed = { ...pending, confirmedAt: AT };
  const used = [
    { hash: 'a', usedAt: AT },
    { hash: 'b', usedAt: '2025-01-01T00:00:00.000Z' },
  ];
  const lastStep = parts.now / 30_000;

  test('that was used takes no code of before', () => {
    expect(closingOf(parts, confirmed, told('user.totp_used'))).toEqual({
      outcome: 'as_recorded',
      patch: { lastStep },
    });
    expect(closingOf(parts, confirmed, told('user.backup_code_used'))).toEqual({
      outcome: 'as_recorded',
      patch: { lastStep, backupCodes: used },
    });
  });

  test.each([
    { name: 'exchanged', since: told('user.mfa_enrollment_started', 'user.mfa_enabled'), mfa: confirmed },
    { name: 'changed without a row', since: undefined, mfa: confirmed },
    { name: 'confirmed', since: told('user.mfa_enabled'), mfa: pending },
  ])('that was $name is locked, and never taken away', ({ since, mfa }) => {
    expect(closingOf(parts, mfa, since)).toEqual({
      outcome: 'closed',
      patch: { confirmedAt: AT, lastStep: LOCKED_STEP, backupCodes: used },
    });
  });

  test('that was begun anew and never confirmed goes', () => {
    expect(closingOf(parts, pending, told('user.mfa_enrollment_started'))).toEqual({ outcome: 'removed' });
  });
});
