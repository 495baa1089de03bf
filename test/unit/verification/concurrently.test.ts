import type { RequestContext } from '../../../core/access/principal.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER, type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { type VerificationWorld, verificationWorld } from '../../support/verification-world.ts';

jest.setTimeout(60_000);

type Write = (
  vault: MemoryVault,
  scene: { readonly owner: RequestContext; readonly id: string; readonly world: VerificationWorld },
) => Promise<unknown>;

const writes: readonly (readonly [name: string, write: Write])[] = [
  ['a value is written', (vault, { owner, id }) => putValue(vault, owner, id, 'v2')],
  [
    'a secret is made',
    (vault, { owner }) => createSecret(vault, owner, { namespace: 'prod', name: 'new', value: 'v' }),
  ],
  ['a namespace goes', (vault, { owner }) => deleteNamespace(vault, owner, 'old')],
  [
    'a namespace comes and goes',
    async (vault, { owner }) => {
      await createNamespace(vault, owner, { name: 'short' });
      await deleteNamespace(vault, owner, 'short');
    },
  ],
  [
    'a stranger comes for the first time, and all is sealed',
    async (vault, { world }) => {
      await authenticate(vault, headerCredentials(), CALLER).catch(() => undefined);
      await world.seal();
    },
  ],
];

it.each(writes)('while %s, at whatever moment, a deployment verifies', async (_, write) => {
  let wasReached = true;
  for (let at = 1; wasReached; at += 3) {
    const { world, vault, owner } = await verificationWorld();
    const { id } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' });
    await createNamespace(vault, owner, { name: 'old' });
    await world.seal();
    let calls = 0;
    let isWriting = false;
    vault.tables.answers = async () => {
      if (isWriting) return;
      calls += 1;
      if (calls !== at) return;
      isWriting = true;
      await write(memoryVault(vault), { owner, id, world });
      isWriting = false;
    };
    const results = await world.job(3);
    const found = results.map(({ findings, error }) => error ?? findings?.breaks);
    expect({ at, found }).toEqual({ at, found: [[], [], []] });
    wasReached = calls >= at;
  }
});
