import type { RequestContext } from '../../../core/access/principal.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER, installedVault, type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';

/** A workspace with some secrets and a namespace that is about to go. */
async function busyVault(): Promise<{ vault: MemoryVault; owner: RequestContext; id: string }> {
  const { vault, owner } = await installedVault();
  const { id } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' });
  await createNamespace(vault, owner, { name: 'old' });
  // So that a lane is not read at once: writes may fall between its pages.
  vault.tables.rowsPerRead = 2;
  return { vault, owner, id };
}

/** Lets `write` happen right after the verifier's call number `at`; gives how many calls there were. */
function interruptAt(vault: MemoryVault, at: number, write: () => Promise<unknown>): () => number {
  let calls = 0;
  let writing = false;
  vault.tables.answers = async () => {
    if (writing) return;
    calls += 1;
    if (calls !== at) return;
    writing = true;
    await write();
    writing = false;
  };
  return () => calls;
}

const writes: [
  name: string,
  write: (vault: MemoryVault, owner: RequestContext, id: string) => Promise<unknown>,
][] = [
  ['a value is written', (vault, owner, id) => putValue(vault, owner, id, 'v2')],
  [
    'a secret is made',
    (vault, owner) => createSecret(vault, owner, { namespace: 'prod', name: 'new', value: 'v' }),
  ],
  ['a namespace goes', (vault, owner) => deleteNamespace(vault, owner, 'old')],
  [
    'a stranger comes for the first time',
    (vault) => authenticate(vault, headerCredentials(), CALLER).catch(() => undefined),
  ],
];

describe.each(writes)('while %s, at whatever moment,', (_, write) => {
  it('a workspace verifies', async () => {
    for (let at = 1, calls = 1; at <= calls; at += 1) {
      const { vault, owner, id } = await busyVault();
      const count = interruptAt(vault, at, () => write(memoryVault(vault), owner, id));
      const verification = await verifyWorkspace(vault, owner.principal.workspaceId);
      expect({ at, ...verification }).toMatchObject({ ok: true, breaks: [] });
      calls = count();
    }
  });

  it('a deployment verifies', async () => {
    for (let at = 1, calls = 1; at <= calls; at += 1) {
      const { vault, owner, id } = await busyVault();
      const count = interruptAt(vault, at, () => write(memoryVault(vault), owner, id));
      expect({ at, broken: await brokenWorkspaces(vault) }).toEqual({ at, broken: {} });
      calls = count();
    }
  });
});

it('a secret that is written again before each look raises nothing', async () => {
  const { vault, owner, id } = await busyVault();
  const writer = memoryVault(vault);
  vault.tables.faults = async ({ name }) => {
    if (name === 'inspector.inspect') await putValue(writer, owner, id, 'again');
    return 'none';
  };
  const { breaks } = await verifyWorkspace(vault, owner.principal.workspaceId);
  expect(breaks).toEqual([]);
});

it('the platform, whose strangers lane opens meanwhile, verifies', async () => {
  for (const at of [1, 2, 3]) {
    const vault = memoryVault();
    interruptAt(vault, at, () =>
      authenticate(memoryVault(vault), headerCredentials(), CALLER).catch(() => undefined),
    );
    expect(await verifyWorkspace(vault, PLATFORM_WORKSPACE)).toMatchObject({ ok: true, breaks: [] });
  }
});
