import { detectDeployment, type WorkspaceDetected } from '../../../core/anomaly/detect-deployment.ts';
import type { AnomalyParts } from '../../../core/anomaly/detect-workspace.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { CANARY_WORKSPACE, openCanary } from '../../../core/probe/canary.ts';
import { COUNTERS } from '../../support/anomaly-world.ts';
import { addWorkspace, apiWorld } from '../../support/api-world.ts';
import { MemoryAnomalyStates } from '../../support/memory-anomaly-states.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';

let vault: MemoryVault;
let big: string;
let small: string;
let chance: number;
let parts: AnomalyParts;
beforeEach(async () => {
  const world = await apiWorld();
  vault = world.vault;
  big = world.workspaceId;
  small = await addWorkspace(vault);
  chance = 0;
  parts = {
    ...vault,
    states: new MemoryAnomalyStates(vault.tables),
    locations: { of: () => undefined },
    detectors: COUNTERS,
    record: async () => undefined,
    random: { bytes: (size) => new Uint8Array(size).fill(chance) },
  };
  const events = Array(20).fill({
    action: 'secret.read',
    entity: { type: 'secret', id: 'sec_1' },
    result: 'success',
  } as const);
  const actor = { type: 'api_key', id: 'key_1' } as const;
  await vault.trail.commit({ ...systemOrigin(big), actor }, events);
});

async function detect(mayGoOn = () => true): Promise<WorkspaceDetected[]> {
  const detected: WorkspaceDetected[] = [];
  for await (const one of detectDeployment(parts, mayGoOn, 10)) detected.push(one);
  return detected;
}
const workspaces = (detected: readonly WorkspaceDetected[]) => detected.map(({ workspaceId }) => workspaceId);

it('leaves out the workspace of the health probe, whose keys live for minutes', async () => {
  await openCanary(vault);
  expect(workspaces(await detect())).not.toContain(CANARY_WORKSPACE);
});

it('gives each workspace, the platform included, one batch in turn until nothing is left', async () => {
  const detected = await detect();
  const turns = workspaces(detected);
  expect(new Set(turns.slice(0, 3))).toEqual(new Set([PLATFORM_WORKSPACE, big, small]));
  expect(turns.slice(3).every((workspaceId) => workspaceId === big)).toBe(true);
  expect(turns.length).toBeGreaterThan(4);
  const last = new Map(detected.map((one) => [one.workspaceId, one]));
  expect([...last.values()].filter(({ waitingSince }) => waitingSince !== undefined)).toEqual([]);
  expect((await detect()).map(({ status }) => status)).toEqual(['idle', 'idle', 'idle']);
});

it('begins at a workspace that chance decides', async () => {
  const first = workspaces(await detect());
  chance = 1;
  const [begin] = workspaces(await detect());
  expect(first[0]).toBe(PLATFORM_WORKSPACE);
  expect(begin).not.toBe(first[0]);
});

it('leaves what it does not come to for the next run', async () => {
  let left = 2;
  const detected = await detect(() => {
    left -= 1;
    return left >= 0;
  });
  expect(detected).toHaveLength(2);
  expect((await detect()).length).toBeGreaterThan(3);
});

it('goes on with the others where one fails', async () => {
  const { ledger } = vault;
  const broken: AnomalyParts['ledger'] = {
    ...ledger,
    rows: async (lane, ...rest) => {
      if (lane.workspaceId === big) throw new TypeError('broken');
      return ledger.rows(lane, ...rest);
    },
  };
  parts = { ...parts, ledger: broken };
  const statuses = (await detect()).map(({ workspaceId, status }) => [workspaceId === big, status]);
  expect(statuses.toSorted()).toEqual([
    [false, 'worked'],
    [false, 'worked'],
    [true, 'failed'],
  ]);
});
