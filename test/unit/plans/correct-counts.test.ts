import type { RequestContext } from '../../../core/access/principal.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { apiKeyKind, apiKeyList } from '../../../core/identity/api-key.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { assignPlan } from '../../../core/plans/assign-plan.ts';
import { snapshotStateSchema } from '../../../core/posture/snapshot-state.ts';
import { type SnapshotParts, takeSnapshot } from '../../../core/posture/take-snapshot.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import { addKey } from '../../support/api-world.ts';
import { memoryJobStates } from '../../support/job-states.ts';
import { installedVault, type MemoryVault } from '../../support/memory-vault.ts';
import { recordedAlerts } from '../../support/raised-alerts.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let parts: SnapshotParts;
let raised: Alert[];
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  raised = [];
  const alerts = recordedAlerts(vault);
  const raise = async (alert: Alert): Promise<void> => {
    raised.push(alert);
    await alerts.raise(alert);
  };
  parts = { ...vault, alerts: { raise }, snapshots: memoryJobStates(vault.tables, snapshotStateSchema) };
  await assignPlan(vault, { workspaceId, plan: 'standard' });
});

let names = 0;
const secret = () => createSecret(vault, owner, { namespace: 'prod', name: `s${++names}`, value: 'v' });
const count = () => vault.bookkeeping.secretCount(workspaceId);
async function night(): Promise<void> {
  vault.clock.advance(DAY_MS);
  expect((await takeSnapshot(parts, workspaceId)).status).toBe('worked');
}

describe('the nightly snapshot', () => {
  it.each([
    ['too low, as after a crash between commit and count', -2],
    ['too high, as after one at a purge', 5],
    ['lost', -3],
  ])('sets a count right that is %s', async (_, off) => {
    await secret();
    await deleteSecret(vault, owner, (await secret()).id);
    await secret();
    await vault.bookkeeping.addSecrets(workspaceId, off);
    await night();
    expect(await count()).toBe(3);
  });

  it('counts those from before there was a count', async () => {
    await secret();
    await vault.bookkeeping.setSecretCount(workspaceId, 0);
    const { id } = await secret();
    await night();
    await deleteSecret(vault, owner, id);
    await purgeSecret(vault, owner, id);
    expect(await count()).toBe(1);
  });

  it('comes again where the count could not be set', async () => {
    await secret();
    await vault.bookkeeping.setSecretCount(workspaceId, 9);
    vault.clock.advance(DAY_MS);
    vault.tables.faults = async ({ name }) => (name === 'bookkeeping.setSecretCount' ? 'before' : 'none');
    expect((await takeSnapshot(parts, workspaceId)).status).toBe('failed');
    vault.tables.faults = async () => 'none';
    await takeSnapshot(parts, workspaceId);
    expect(await count()).toBe(1);
  });

  it('tells of a limit that is near or reached once a month, with what is used', async () => {
    while (
      (await vault.store.list(apiKeyKind, { list: apiKeyList(workspaceId), limit: 100 })).items.length < 40
    )
      await addKey(vault, workspaceId, { role: 'viewer' });
    await night();
    await night();
    expect(raised).toMatchObject([
      {
        kind: 'plan_limit_near',
        tier: 'warning',
        subject: 'apiKeys 2026-01',
        seen: 'The workspace uses 40 of the 50 API keys that the plan standard allows.',
      },
    ]);
    for (let index = 0; index < 10; index += 1) await addKey(vault, workspaceId, { role: 'viewer' });
    await night();
    expect(raised.map(({ occurrence }) => occurrence)).toEqual(['near', 'reached']);
    vault.clock.advance(31 * DAY_MS);
    await night();
    expect(raised.at(-1)).toMatchObject({ subject: 'apiKeys 2026-02', occurrence: 'reached' });
  });
});
