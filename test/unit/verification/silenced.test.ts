import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { verificationWorld } from '../../support/verification-world.ts';

const YEAR_MS = 365 * DAY_MS;

/** Changes what is noted of a workspace's verifications, as somebody with write access to the table can. */
async function spoiledState(change: (state: { leaseUntil: number; last: Record<string, object> }) => void) {
  const found = await verificationWorld();
  const { world, vault, workspaceId } = found;
  await world.seal();
  await world.job();
  const { states } = vault.verifications;
  const state = JSON.parse(states.get(workspaceId) ?? '');
  change(state);
  states.set(workspaceId, JSON.stringify(state));
  await world.nextDay();
  return found;
}

it('a lease that ends in a year does not keep the verifier from its work', async () => {
  const { world, vault, workspaceId } = await spoiledState((state) => {
    state.leaseUntil = Date.now() + YEAR_MS + 100 * YEAR_MS;
  });
  expect(vault.clock.now()).toBeLessThan(Date.now() + YEAR_MS);
  const done = (await world.job()).map((result) => result.workspaceId);
  expect(done).toContain(workspaceId);
});

it('a verification that began in a year is no verification', async () => {
  const { world, vault, workspaceId } = await spoiledState((state) => {
    for (const [kind, run] of Object.entries(state.last)) {
      state.last[kind] = { ...run, startedAt: Date.now() + 100 * YEAR_MS };
    }
  });
  expect(vault.clock.now()).toBeLessThan(Date.now() + YEAR_MS);
  const kinds = (await world.job()).filter((result) => result.workspaceId === workspaceId);
  expect(kinds.map(({ kind }) => kind)).toContain('complete');
});

it('a row that was gone before it could be sealed is told, and the tree is followed all the same', async () => {
  const { world, vault, owner, workspaceId } = await verificationWorld();
  await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' });
  const gone = [...vault.tables.rows].find(
    ([, row]) => row.workspaceId === workspaceId && row.lane === 0 && row.seq === 3,
  );
  if (gone === undefined) throw new Error('There is a third row.');
  vault.tables.rows.delete(gone[0]);
  await world.seal();
  const { breaks } = await world.verify(workspaceId, 'complete');
  expect(breaks).toContainEqual({ lane: 0, seq: 3, reason: 'missing_row' });
  expect(breaks.map(({ reason }) => reason)).not.toContain('root_mismatch');
});
