import { authenticate } from '../../../core/identity/authenticate.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER, rowsOf } from '../../support/memory-vault.ts';
import { type VerificationWorld, verificationWorld } from '../../support/verification-world.ts';

let world: VerificationWorld;
let workspaceId: string;
let busyDay: () => Promise<void>;
beforeEach(async () => {
  const made = await verificationWorld();
  ({ world, workspaceId } = made);
  const { vault, owner } = made;
  let day = 0;
  busyDay = async () => {
    day += 1;
    const { id } = await createSecret(vault, owner, { namespace: 'prod', name: `db${day}`, value: 'v1' });
    await putValue(vault, owner, id, 'v2');
    await createNamespace(vault, owner, { name: `old${day}` });
    await deleteNamespace(vault, owner, `old${day}`);
    await authenticate(vault, headerCredentials(), CALLER).catch(() => undefined);
    await world.nextDay();
  };
});

it.each([3, 7, 20_000])('an honest history verifies every day, in slices of %d', async (slice) => {
  for (let day = 1; day <= 9; day += 1) {
    await busyDay();
    const results = await world.job(slice);
    const told = results.map((result) => [result.workspaceId, result.findings?.breaks, result.error]);
    expect(told.sort()).toEqual([
      [PLATFORM_WORKSPACE, [], undefined],
      [PLATFORM_WORKSPACE, [], undefined],
      [workspaceId, [], undefined],
    ]);
  }
  expect(world.alerts).toEqual([]);
  const verified = rowsOf(world.vault, workspaceId).filter(({ action }) => action === 'audit.verified');
  expect(verified).toHaveLength(9);
  expect(new Set(verified.map(({ detail }) => detail['kind']))).toEqual(new Set(['complete', 'incremental']));
});
