import type { RequestContext } from '../../../core/access/principal.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { KeyService } from '../../../core/crypto/key-service.ts';
import { update } from '../../../core/kernel/entity.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { importSecrets } from '../../../core/secrets/import-secrets.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { rollbackSecret } from '../../../core/secrets/rollback-secret.ts';
import { type SecretVersion, secretVersionKind, versionId } from '../../../core/secrets/secret.ts';
import { openWorkspace } from '../../../core/workspaces/in-open-workspace.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { installedVault, type MemoryVault } from '../../support/memory-vault.ts';

const THEIRS = 'arn:aws:kms:us-east-1:111122223333:key/theirs';
const NAMESPACE = 'prod';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  workspaceId = owner.principal.workspaceId;
});

async function bringKey(keyArn: string): Promise<void> {
  const workspace = await openWorkspace(vault.store, workspaceId);
  const since = '2026-01-01T00:00:00.000Z';
  const change = update(workspaceKind, workspace, { encryptionKey: { keyArn, since } });
  await vault.trail.commit(systemOrigin(workspaceId, 'test'), [
    {
      action: 'workspace.updated',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [change],
    },
  ]);
}

async function stored(id: string, version: number): Promise<SecretVersion | undefined> {
  return vault.store.get(secretVersionKind, workspaceId, versionId(id, version));
}

const writes: [string, (vault: MemoryVault) => Promise<string>][] = [
  ['a new secret', async (with_) => (await createSecret(with_, owner, secretNamed('new'))).id],
  [
    'an import',
    async (with_) => {
      const input = { format: 'env', namespace: NAMESPACE, content: 'A=1', onConflict: 'fail' } as const;
      return (await importSecrets(with_, owner, input))[0]?.id ?? '';
    },
  ],
  [
    'a new value',
    async (with_) => {
      const { id } = await createSecret(vault, owner, secretNamed('old'));
      await putValue(with_, owner, id, 'second');
      return id;
    },
  ],
  [
    'a rollback',
    async (with_) => {
      const { id } = await createSecret(vault, owner, secretNamed('old'));
      await rollbackSecret(with_, owner, { id, version: 1 });
      return id;
    },
  ],
];

function secretNamed(name: string) {
  return { namespace: NAMESPACE, name, value: 'first' };
}

describe.each(writes)('%s', (_, write) => {
  it('lies under the key of the workspace, whichever the deployment has', async () => {
    await bringKey(THEIRS);
    const id = await write(vault);
    const { version } = await revealSecret(vault, owner, { id });
    expect((await stored(id, version))?.keyArn).toBe(THEIRS);
  });

  it('lies under the deployment’s key otherwise', async () => {
    const deploymentKeys = { ...vault.deploymentKeys, values: THEIRS };
    const id = await write({ ...vault, deploymentKeys });
    const { version } = await revealSecret(vault, owner, { id });
    expect((await stored(id, version))?.keyArn).toBe(THEIRS);
  });

  it('that was sealed before the workspace changed its key is sealed again, and none of the former is kept', async () => {
    let sealings = 0;
    const keys: KeyService = {
      generateDataKey: async (keyArn, context) => {
        const dataKey = await vault.keys.generateDataKey(keyArn, context);
        sealings += 1;
        if (sealings === 1) await bringKey(THEIRS);
        return dataKey;
      },
      decrypt: (...call) => vault.keys.decrypt(...call),
      reEncrypt: (...call) => vault.keys.reEncrypt(...call),
    };
    const id = await write({ ...vault, keys } as unknown as MemoryVault);
    const { version, value } = await revealSecret(vault, owner, { id });
    expect(sealings).toBe(2);
    expect((await stored(id, version))?.keyArn).toBe(THEIRS);
    expect(['first', 'second', '1']).toContain(value);
    expect(vault.keys.handedOut.every((key) => key.every((byte) => byte === 0))).toBe(true);
  });

  it('is not written at all while the key cannot be used', async () => {
    await bringKey(THEIRS);
    vault.keys.unusable.add(THEIRS);
    await expect(write(vault)).rejects.toMatchObject({ code: 'key_unavailable' });
  });
});
