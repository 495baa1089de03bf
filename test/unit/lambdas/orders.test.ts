import { orderedDay } from '../../../lambdas/reconciler/ordered-day.ts';
import { orderedRecovery, orderedSeal } from '../../../lambdas/sealer/ordered-work.ts';
import { orderedVerification } from '../../../lambdas/verifier/ordered-verification.ts';

test('a function does what it is sent', () => {
  expect(orderedDay({ day: '2026-11-22' })).toBe('2026-11-22');
  expect(orderedSeal({ seal: 'ws_1' })).toBe('ws_1');
  expect(orderedRecovery({ recover: 'ws_1' })).toBe('ws_1');
  expect(orderedVerification({ workspaceId: 'ws_1', kind: 'incremental' })).toEqual({
    workspaceId: 'ws_1',
    kind: 'incremental',
  });
  expect(orderedVerification({ workspaceId: '_platform' })).toEqual({
    workspaceId: '_platform',
    kind: 'complete',
  });
});

test.each([[undefined], [null], ['2026-11-22'], [{}], [{ source: 'aws.scheduler' }], [{ Records: [] }]])(
  'it does its ordinary work for %j',
  (event) => {
    for (const read of [orderedDay, orderedSeal, orderedRecovery, orderedVerification])
      expect(read(event)).toBeUndefined();
  },
);

test.each([
  [{ day: '2026-11-3' }, orderedDay, '{"day": "2026-11-22"}'],
  [{ day: '2026-02-30' }, orderedDay, '{"day": "2026-11-22"}'],
  [{ day: '2026-11-22T00:00:00Z' }, orderedDay, '{"day": "2026-11-22"}'],
  [{ day: 20261122 }, orderedDay, '{"day": "2026-11-22"}'],
  [{ day: null }, orderedDay, '{"day": "2026-11-22"}'],
  [{ day: '2026-11-22', to: '2026-11-25' }, orderedDay, '{"day": "2026-11-22"}'],
  [{ seal: '' }, orderedSeal, '{"seal": "ws_…"}'],
  [{ seal: 'ws_1', recover: 'ws_1' }, orderedSeal, '{"seal": "ws_…"}'],
  [{ recover: true }, orderedRecovery, '{"seal": "ws_…"} or {"recover": "ws_…"}'],
  [{ kind: 'complete' }, orderedVerification, '{"workspaceId": "ws_…", "kind": "complete"}'],
  [{ workspaceId: 'ws_1', kind: 'all' }, orderedVerification, '{"workspaceId": "ws_…", "kind": "complete"}'],
  [{ workspaceId: 'ws_1', days: 3 }, orderedVerification, '{"workspaceId": "ws_…", "kind": "complete"}'],
])('it refuses %j, and says what to send', (event, read, advice) => {
  expect(() => read(event)).toThrow(`Send ${advice}`);
});
