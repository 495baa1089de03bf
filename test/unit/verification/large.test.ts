import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { remove } from '../../../core/kernel/entity.ts';
import { namespaceKind } from '../../../core/namespaces/namespace.ts';
import { sampleNamespace } from '../../support/samples.ts';
import { type VerificationWorld, verificationWorld } from '../../support/verification-world.ts';

const LONG = 'x'.repeat(250);
const COMMITS = 24;
const EACH = 33;

let world: VerificationWorld;
let workspaceId: string;
/** 792 namespaces that come, and then go, with names so long that the state cannot keep all that are missing. */
beforeEach(async () => {
  ({ world, workspaceId } = await verificationWorld());
  const { trail } = world.vault;
  const made = Array.from({ length: COMMITS }, (_, commit) =>
    Array.from({ length: EACH }, (__, index) => sampleNamespace(workspaceId, `${commit}.${index}.${LONG}`)),
  );
  const event = { entity: { type: 'workspace', id: workspaceId }, result: 'success' } as const;
  for (const changes of made)
    await trail.commit(systemOrigin(workspaceId), [{ ...event, action: 'namespace.created', changes }]);
  for (const changes of made) {
    const removals = changes.map(({ entity }) => remove(namespaceKind, entity));
    await trail.commit(systemOrigin(workspaceId), [
      { ...event, action: 'namespace.deleted', changes: removals },
    ]);
  }
});

/** Looks at each state that is saved, and at what was read for it. */
function watch() {
  const most = { stateBytes: 0, rows: 0, names: 0 };
  let [rows, names] = [0, 0];
  const { verifications, ledger, inspector } = world.parts;
  const parts = {
    verifications: {
      ...verifications,
      workspaces: () => verifications.workspaces(),
      read: (id: string) => verifications.read(id),
      readScan: () => verifications.readScan(),
      replaceScan: verifications.replaceScan.bind(verifications),
      replace: (next: Parameters<typeof verifications.replace>[0]) => {
        most.stateBytes = Math.max(most.stateBytes, Buffer.byteLength(JSON.stringify(next)));
        most.rows = Math.max(most.rows, rows);
        most.names = Math.max(most.names, names);
        [rows, names] = [0, 0];
        return verifications.replace(next);
      },
    },
    ledger: {
      ...ledger,
      rows: async (...query: Parameters<typeof ledger.rows>) => {
        const found = await ledger.rows(...query);
        rows += found.length;
        return found;
      },
    },
    inspector: {
      ...inspector,
      inspect: (...query: Parameters<typeof inspector.inspect>) => {
        names += query[1].length;
        return inspector.inspect(...query);
      },
    },
  };
  return { most, parts };
}

it('an honest history verifies in slices, with no more in memory than one', async () => {
  const { most, parts } = watch();
  world.vault.tables.rowsPerRead = 2;
  const results = await world.job(4, parts);
  expect(results.map(({ findings, error }) => [findings?.breaks, error])).toEqual(
    results.map(() => [[], undefined]),
  );
  // A slice ends with the row that fills it, and reads one page of each lane at most beyond.
  expect(most.rows).toBeLessThanOrEqual(4 + 2 * 2);
  // Each row changes 33 entities, and the floor is looked up besides.
  expect(most.names).toBeLessThanOrEqual(4 * EACH + 2);
  // The state is one item of DynamoDB.
  expect(most.stateBytes).toBeGreaterThan(200_000);
  expect(most.stateBytes).toBeLessThan(390_000);
});

it('of many that are gone, the one that no row removed is found', async () => {
  const kept = sampleNamespace(workspaceId, `kept.${LONG}`);
  await world.vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'namespace.created',
      entity: { type: 'namespace', id: 'kept' },
      result: 'success',
      changes: [kept],
    },
  ]);
  const first = sampleNamespace(workspaceId, `0.0.${LONG}`);
  await world.vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'namespace.created',
      entity: { type: 'namespace', id: 'again' },
      result: 'success',
      changes: [first],
    },
  ]);
  world.tamperer.removeEntity('namespace', kept.entity.id);
  world.tamperer.removeEntity('namespace', first.entity.id);
  const rows = world.vault.tables.lane({ workspaceId, lane: 0 }).length;
  const { breaks } = await world.verify(workspaceId, 'complete', 4);
  expect(breaks).toEqual([
    { lane: 0, seq: rows - 1, reason: 'entity_missing', entity: { kind: 'namespace', id: kept.entity.id } },
    { lane: 0, seq: rows, reason: 'entity_missing', entity: { kind: 'namespace', id: first.entity.id } },
  ]);
});
