import type { RequestContext } from '../../../core/access/principal.ts';
import { acknowledgeAlert } from '../../../core/alerts/acknowledge-alert.ts';
import { alertId } from '../../../core/alerts/alert-record.ts';
import { raiseAlert } from '../../../core/alerts/raise-alert.ts';
import { updateDetection } from '../../../core/anomaly/update-detection.ts';
import { dayOf, findingKind, findingList } from '../../../core/findings/finding.ts';
import type { PostureFacts } from '../../../core/posture/facts.ts';
import { getPosture } from '../../../core/posture/get-posture.ts';
import { postureFindingId } from '../../../core/posture/posture-finding.ts';
import { snapshotDeployment } from '../../../core/posture/snapshot-deployment.ts';
import { snapshotStateSchema } from '../../../core/posture/snapshot-state.ts';
import { type SnapshotParts, takeSnapshot } from '../../../core/posture/take-snapshot.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { createWebhook } from '../../../core/siem/create-webhook.ts';
import { inTurn } from '../../../core/workspaces/in-turn.ts';
import { addKey, addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { memoryJobStates, SPOILED_STATE } from '../../support/job-states.ts';
import { callerWith, installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';

const DAY = 24 * 60 * 60_000;

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let parts: SnapshotParts;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  parts = { ...vault, snapshots: memoryJobStates(vault.tables, snapshotStateSchema) };
});
afterEach(async () => {
  vault.tables.faults = async () => 'none';
  expect(await brokenWorkspaces(vault)).toEqual({});
});

const snapshots = () => rowsOf(vault, workspaceId).filter(({ action }) => action === 'posture.recorded');
const openFindings = async (): Promise<string[]> =>
  (await vault.store.list(findingKind, { list: findingList(workspaceId), limit: 100 })).items
    .filter(({ state }) => state === 'open')
    .map(({ check = '' }) => check)
    .toSorted();

/** Takes slices until today's snapshot stands; gives its facts. */
async function whole(pages?: number): Promise<PostureFacts> {
  for (let slices = 0; slices < 1_000; slices += 1) {
    const worked = await takeSnapshot(parts, workspaceId, pages);
    if (worked.status === 'failed') throw worked.error;
    if (worked.status === 'worked' && worked.state.count !== undefined) continue;
    return (await getPosture(vault, owner, undefined)).facts;
  }
  throw new Error('The snapshot came to no end.');
}

const secret = (name: string, more: object = {}) =>
  createSecret(vault, owner, { namespace: 'prod', name, value: 'v', ...more });

describe('a snapshot', () => {
  it('counts what the workspace holds', async () => {
    await secret('a', { isCUI: true });
    await secret('bait', { decoy: true });
    vault.clock.advance(365 * DAY);
    await secret('b');
    await putValue(vault, owner, (await secret('c')).id, 'w');
    await deleteSecret(vault, owner, (await secret('d')).id);
    const old = { createdAt: '2026-01-01T00:00:00.000Z' };
    const now = vault.clock.now();
    const dormant = await addKey(vault, workspaceId, {
      role: 'viewer',
      ...old,
      expiresAt: '2030-01-01T00:00:00.000Z',
    });
    const used = await addKey(vault, workspaceId, {
      role: 'viewer',
      ...old,
      expiresAt: '2030-01-01T00:00:00.000Z',
    });
    await vault.bookkeeping.markKeyUsed(workspaceId, used.id, now - 89 * DAY);
    await addKey(vault, workspaceId, { role: 'owner', ...old, honeypot: true });
    await addKey(vault, workspaceId, { role: 'viewer', ...old, revokedAt: old.createdAt });
    await addKey(vault, workspaceId, { role: 'viewer', ...old, expiresAt: old.createdAt });
    const ada = await addPerson(vault, workspaceId, { email: 'ada@example.com', role: 'owner' });
    await addPerson(vault, workspaceId, { email: 'ben@example.com', role: 'viewer' });
    for (const tier of ['info', 'critical'] as const) {
      const alert = { tier, kind: 'job_failed', workspaceId, subject: tier, detail: {} } as const;
      await raiseAlert(vault, alert, 'test');
    }
    const seen = { tier: 'warning', kind: 'job_failed', workspaceId, subject: 'seen', detail: {} } as const;
    await raiseAlert(vault, seen, 'test');
    await acknowledgeAlert(vault, owner, { id: alertId(seen) });
    vault.clock.advance(DAY + 1);
    await createWebhook(vault, owner, { name: 'x', url: 'https://siem.example.com/', preset: 'generic' });
    await updateDetection(vault, owner, { volume: { enabled: false } });

    const facts = await whole();
    const installed = owner.principal.id;
    expect(facts).toEqual({
      secrets: { active: 4, cui: 1, unchangedForYear: 1, deleted: 1 },
      namespaces: 1,
      keys: {
        good: 3,
        expired: 1,
        revoked: 1,
        honeypots: 1,
        withoutExpiry: { count: 1, first: [installed] },
        dormant: { count: 3, first: expect.arrayContaining([installed, dormant.id, used.id]) },
        owners: { count: 1, first: [installed] },
      },
      members: {
        owner: 1,
        admin: 0,
        operator: 0,
        viewer: 1,
        withoutMfa: 2,
        ownersWithoutMfa: { count: 1, first: [ada.id] },
      },
      webhooks: { active: 1, paused: 0, parked: 0 },
      alerts: {
        openInfo: 1,
        openWarning: 0,
        openCritical: 1,
        acknowledged: 1,
        criticalForDay: { count: 1, first: [expect.stringMatching(/^al_/)] },
      },
      findings: { open: 0, inProgress: 0, accepted: 0, closed: 0, overdue: 0 },
      requiresMfa: false,
      detectorsOff: ['volume'],
    });
    expect(await openFindings()).toEqual([
      'critical_alerts_open',
      'detection_off',
      'dormant_keys',
      'keys_without_expiry',
      'mfa_not_required',
      'owner_keys',
      'owners_without_mfa',
      'secrets_unchanged',
      'single_owner',
    ]);
    expect(snapshots().at(-1)).toMatchObject({
      actor: { type: 'system', id: 'snapshot' },
      detail: { checks: '10', failing: expect.stringContaining('owner_keys') },
    });
  });

  it('is taken once a day', async () => {
    await whole();
    expect((await takeSnapshot(parts, workspaceId)).status).toBe('idle');
    vault.clock.advance(DAY);
    await whole();
    expect(snapshots().map(({ detail }) => detail['day'])).toEqual(['2026-01-01', '2026-01-02']);
  });

  it.each([1, 7])('in slices of %i pages counts the same', async (pages) => {
    for (let index = 0; index < 105; index += 1) await secret(`s${index}`);
    for (let index = 0; index < 105; index += 1) await addKey(vault, workspaceId, { role: 'viewer' });
    const facts = await whole(pages);
    expect([facts.secrets.active, facts.keys.good, facts.namespaces]).toEqual([105, 106, 1]);
  });

  it.each(['before', 'after'] as const)(
    'counts nothing twice wherever a call is lost %s it took effect',
    async (fault) => {
      for (let index = 0; index < 101; index += 1) await secret(`s${index}`);
      for (let lost = 1; ; lost += 1) {
        let calls = 0;
        vault.tables.faults = async () => {
          calls += 1;
          return calls === lost ? fault : 'none';
        };
        let failures = 0;
        for (let slices = 0; slices < 60; slices += 1) {
          const { status } = await takeSnapshot(parts, workspaceId, 5);
          if (status === 'idle') break;
          if (status === 'failed') failures += 1;
          // A lease that could not be given back ends by itself.
          if (status === 'busy') vault.clock.advance(6 * 60_000);
        }
        vault.tables.faults = async () => 'none';
        const { facts, id } = await getPosture(vault, owner, undefined);
        expect([id, facts.secrets.active]).toEqual([dayOf(vault.clock.now()), 101]);
        expect(await openFindings()).toEqual(['alerts_unheard', 'keys_without_expiry']);
        if (calls < lost) return expect(failures).toBe(0);
        vault.clock.advance(DAY);
      }
    },
  );

  it('that was not finished goes on the next day, and says since when', async () => {
    for (let index = 0; index < 105; index += 1) await secret(`s${index}`);
    await takeSnapshot(parts, workspaceId, 1);
    vault.clock.advance(DAY);
    await whole(1);
    const posture = await getPosture(vault, owner, '2026-01-02');
    expect(posture).toMatchObject({
      countedFrom: '2026-01-01T00:00:00.000Z',
      recordedAt: '2026-01-02T00:00:00.000Z',
      facts: { secrets: { active: 105 } },
    });
  });

  it('begun by a program that counted otherwise is begun anew', async () => {
    const begun = {
      version: 1,
      leaseUntil: 0,
      failures: 0,
      day: '',
      count: { from: 0, section: 0, facts: { secrets: 3 } },
    };
    expect(snapshotStateSchema.parse(begun)).toMatchObject({ version: 1, count: undefined });
  });
});

describe('the deployment', () => {
  const run = async (mayGoOn = () => true, pages?: number): Promise<string[]> => {
    const told: string[] = [];
    for await (const { workspaceId: id, status } of snapshotDeployment(parts, mayGoOn, pages))
      told.push(`${id} ${status}`);
    return told;
  };

  it('has a turn for everybody, and a large workspace holds up no other', async () => {
    const other = await addWorkspace(vault);
    for (let index = 0; index < 110; index += 1) await secret(`s${index}`);
    const told = await run(() => true, 8);
    expect(told.slice(0, 2).toSorted()).toEqual([`${other} recorded`, `${workspaceId} counting`].toSorted());
    expect(told.slice(2)).toEqual([`${workspaceId} recorded`]);
    expect(await run()).toEqual(expect.arrayContaining([`${other} idle`, `${workspaceId} idle`]));
  });

  it('leaves for the next run what it has no time for', async () => {
    const other = await addWorkspace(vault);
    let turns = 0;
    const first = await run(() => {
      turns += 1;
      return turns === 1;
    });
    expect(first).toHaveLength(1);
    const second = (await run()).filter((told) => told.endsWith('recorded'));
    expect([...first, ...second].toSorted()).toEqual(
      [`${other} recorded`, `${workspaceId} recorded`].toSorted(),
    );
  });

  it('goes on when one workspace fails', async () => {
    const other = await addWorkspace(vault);
    const { snapshots: states } = parts;
    parts = { ...parts, snapshots: (id) => (id === other ? SPOILED_STATE : states(id)) };
    expect((await run()).toSorted()).toEqual([`${other} failed`, `${workspaceId} recorded`].toSorted());
  });
});

describe('reading it', () => {
  it('answers that of a day, or the latest; there is none before the first', async () => {
    await expect(getPosture(vault, owner, undefined)).rejects.toMatchObject({ code: 'not_found' });
    await whole();
    vault.clock.advance(DAY);
    await secret('a');
    await whole();
    expect((await getPosture(vault, owner, undefined)).id).toBe('2026-01-02');
    expect((await getPosture(vault, owner, '2026-01-01')).facts.secrets.active).toBe(0);
    await expect(getPosture(vault, owner, '2026-01-03')).rejects.toMatchObject({ code: 'not_found' });
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
      action: 'posture.read',
      detail: { day: '2026-01-01' },
    });
  });

  it('over HTTP names the finding of a check that fails', async () => {
    await whole();
    const { token } = await addKey(vault, workspaceId, { role: 'admin' });
    const call = { method: 'GET', path: '/workspace/posture', token };
    const { status, json } = await callApi(vault, { ...call, query: { day: '2026-01-01' } });
    const { day, checks } = json as { day: string; checks: { check: string; findingId?: string }[] };
    expect([status, day]).toEqual([200, '2026-01-01']);
    expect(checks).toHaveLength(10);
    expect(checks).toContainEqual({
      check: 'keys_without_expiry',
      holds: false,
      severity: 'medium',
      evidence: expect.stringContaining(owner.principal.id),
      findingId: postureFindingId(workspaceId, 'keys_without_expiry'),
    });
    expect(checks).toContainEqual({ check: 'dormant_keys', holds: true });
    const wrong = await callApi(vault, { ...call, query: { day: 'yesterday' } });
    expect(problemCode(wrong)).toBe('invalid_request');
  });

  it('is for admins, each in their own workspace', async () => {
    await whole();
    const operator = callerWith({ workspaceId, role: 'operator' });
    await expect(getPosture(vault, operator, undefined)).rejects.toMatchObject({ code: 'forbidden' });
    const stranger = callerWith({ workspaceId: await addWorkspace(vault), role: 'owner' });
    await expect(getPosture(vault, stranger, '2026-01-01')).rejects.toMatchObject({ code: 'not_found' });
  });
});

it('what a run has no time for has its turn within a week, where there is time for a third', () => {
  const ids = Array.from({ length: 997 }, (_, index) => `ws_${index}`);
  for (const day of [0, 1, 20_000]) {
    const reached = new Set<string>();
    for (let later = 0; later < 7; later += 1)
      for (const id of inTurn(ids, (day + later) * DAY).slice(0, 333)) reached.add(id);
    expect(reached.size).toBe(ids.length);
  }
  expect(inTurn(ids, 5 * DAY).toSorted()).toEqual(ids.toSorted());
  expect(inTurn([], 5 * DAY)).toEqual([]);
});
