import { sweepTallies } from '../../../core/identity/sweep-tallies.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson } from '../../support/people.ts';
import { addressOf, logInFrom, MINUTE, OTHER_PASSWORD, peopleWorld } from './world.ts';

it('A4: one password tried at many accounts from one address is told for each of them', async () => {
  const world: { vault: MemoryVault; workspaceId: string } = await peopleWorld();
  const { vault, workspaceId } = world;
  const users: string[] = [];
  for (const name of ['bea', 'cid', 'dan']) {
    const email = `${name}@example.com`;
    users.push((await addPerson(vault, workspaceId, { email, role: 'viewer' })).id);
    for (let twice = 0; twice < 2; twice += 1) await logInFrom(vault, addressOf(1), email, OTHER_PASSWORD);
  }
  vault.clock.advance(2 * MINUTE);
  await sweepTallies(vault);
  const failures = rowsOf(vault, workspaceId, 1).filter(({ action }) => action === 'authentication.failed');
  expect(failures.filter(({ entity }) => entity.type === 'user').map(({ entity }) => entity.id)).toEqual(
    users,
  );
  const repeats = failures.filter(({ detail }) => detail['repeats'] !== undefined);
  expect(repeats.map(({ detail }) => detail['userId']).toSorted()).toEqual(users.toSorted());
});
