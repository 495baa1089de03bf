import type { RequestContext } from '../../../core/access/principal.ts';
import { findingKind } from '../../../core/findings/finding.ts';
import { type FindingPatch, updateFinding } from '../../../core/findings/update-finding.ts';
import type { PostureCheck } from '../../../core/posture/check.ts';
import { postureFindingId, settlePostureFinding } from '../../../core/posture/posture-finding.ts';
import { installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';

const DAY = 24 * 60 * 60_000;
const CHECK: PostureCheck = {
  name: 'owner_keys',
  title: 'API keys have the role owner',
  advice: 'Revoke them.',
  severity: 'high',
  dueDays: 14,
  fault: () => undefined,
};

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let id: string;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  id = postureFindingId(workspaceId, CHECK.name);
});
afterEach(async () => {
  expect(await brokenWorkspaces(vault)).toEqual({});
});

const fails = (seen = '1 key') => settlePostureFinding(vault, workspaceId, CHECK, seen);
const holds = () => settlePostureFinding(vault, workspaceId, CHECK, undefined);
const finding = () => vault.store.get(findingKind, workspaceId, id);
const patch = (fields: FindingPatch) => updateFinding(vault, owner, id, fields);
const rows = () => rowsOf(vault, workspaceId).filter(({ action }) => action.startsWith('finding.'));

it('a check that holds, and always did, has no finding', async () => {
  await holds();
  expect([await finding(), rows()]).toEqual([undefined, []]);
});

it('a check that fails opens one finding, in the snapshot’s name, with a date', async () => {
  await fails();
  await fails();
  expect(await finding()).toMatchObject({
    id: expect.stringMatching(/^fnd_[0-9a-f]{32}$/),
    revision: 1,
    title: CHECK.title,
    description: 'Revoke them.',
    severity: 'high',
    state: 'open',
    source: 'posture',
    check: 'owner_keys',
    evidence: '1 key',
    dueDate: '2026-01-15',
    createdBy: 'snapshot',
  });
  expect(rows()).toHaveLength(1);
  expect(rows()[0]).toMatchObject({
    action: 'finding.opened',
    actor: { type: 'system', id: 'snapshot' },
    detail: { severity: 'high', source: 'posture', check: 'owner_keys', dueDate: '2026-01-15' },
  });
});

it('new evidence is written down, and what people changed stays', async () => {
  await fails();
  await patch({ severity: 'low', title: 'Ours', state: 'in_progress', dueDate: '2026-03-01' });
  await fails('2 keys');
  expect(await finding()).toMatchObject({
    severity: 'low',
    title: 'Ours',
    state: 'in_progress',
    dueDate: '2026-03-01',
    evidence: '2 keys',
    updatedBy: 'snapshot',
  });
  expect(rows().at(-1)).toMatchObject({ action: 'finding.updated', detail: { fields: 'evidence' } });
});

it('it closes by itself when the check holds again, once, and opens again when it does not', async () => {
  await fails();
  vault.clock.advance(DAY);
  await holds();
  await holds();
  expect(await finding()).toMatchObject({
    revision: 2,
    state: 'closed',
    reason: 'The check holds again.',
    closedAt: '2026-01-02T00:00:00.000Z',
  });
  expect(rows().at(-1)).toMatchObject({ action: 'finding.closed', detail: { state: 'open -> closed' } });
  vault.clock.advance(DAY);
  await fails('3 keys');
  const again = await finding();
  expect(again).toMatchObject({ state: 'open', evidence: '3 keys', dueDate: '2026-01-17' });
  expect(again).not.toHaveProperty('closedAt');
  expect(again).not.toHaveProperty('reason');
  expect(rows().at(-1)).toMatchObject({ action: 'finding.opened', detail: { state: 'closed -> open' } });
});

it('one that a person closed although the check fails opens again', async () => {
  await fails();
  await patch({ state: 'closed', reason: 'I do not see it.' });
  await fails();
  expect(await finding()).toMatchObject({ state: 'open', updatedBy: 'snapshot' });
});

it('an accepted one stays so through its last day, and opens on the next', async () => {
  await fails();
  await patch({ state: 'accepted', reason: 'We need it until then.', dueDate: '2026-01-03' });
  vault.clock.advance(2 * DAY);
  await fails('2 keys');
  expect(await finding()).toMatchObject({ state: 'accepted', evidence: '2 keys', dueDate: '2026-01-03' });
  vault.clock.advance(DAY);
  await fails('2 keys');
  expect(await finding()).toMatchObject({ state: 'open', dueDate: '2026-01-18' });
  expect(rows().at(-1)).toMatchObject({ detail: { state: 'accepted -> open' } });
});

it('an accepted one is closed when the check holds again', async () => {
  await fails();
  await patch({ state: 'accepted', reason: 'x', dueDate: '2026-01-03' });
  await holds();
  expect(await finding()).toMatchObject({ state: 'closed', reason: 'The check holds again.' });
});

it('decides anew when a person changed it at that moment', async () => {
  await fails();
  let isFirst = true;
  vault.tables.answers = async ({ name }) => {
    if (name !== 'store.get' || !isFirst) return;
    isFirst = false;
    await patch({ state: 'accepted', reason: 'x', dueDate: '2026-02-01' });
  };
  await fails('2 keys');
  expect(await finding()).toMatchObject({ state: 'accepted', evidence: '2 keys', revision: 3 });
});

it('two runs that open it at once meet at one finding', async () => {
  await Promise.all([fails(), fails()]);
  expect([(await finding())?.revision, rows().length]).toEqual([1, 1]);
});
