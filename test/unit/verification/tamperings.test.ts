import { manifestKey } from '../../../core/archive/manifest.ts';
import { strangerOrigin } from '../../../core/audit/lane-start.ts';
import { rowHash } from '../../../core/audit/row.ts';
import { createApiKey } from '../../../core/identity/create-api-key.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { MemorySigner } from '../../support/memory-signer.ts';
import type { StoredEntity } from '../../support/memory-store.ts';
import { type VerificationWorld, verificationWorld } from '../../support/verification-world.ts';

interface Scene {
  readonly world: VerificationWorld;
  readonly workspaceId: string;
  readonly secretId: string;
  readonly keyId: string;
  /** The secret as it was before its value changed. */
  readonly earlier: StoredEntity;
  /** A namespace that was removed since. */
  readonly removed: StoredEntity;
  /** Lane 0 of the workspace. */
  readonly lane: { readonly workspaceId: string; readonly lane: number };
}

/**
 * Lane 0 after it: 1 to 3 set up, 4 namespace, 5 secret, 6 value, 7 to 9 a namespace comes and goes, 10 an API key; lane
 * 1: a stranger. All is sealed, archived and verified, and the next day has begun with two more rows.
 */
async function scene(): Promise<Scene> {
  const { world, vault, owner, workspaceId } = await verificationWorld();
  const { tamperer } = world;
  const { id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' });
  const earlier = tamperer.entity('secret', secretId);
  await putValue(vault, owner, secretId, 'v2');
  await createNamespace(vault, owner, { name: 'old' });
  const removed = tamperer.entity('namespace', 'old');
  await deleteNamespace(vault, owner, 'old');
  const { apiKey } = await createApiKey(vault, owner, { name: 'ci', role: 'viewer', namespaces: ['*'] });
  await vault.trail.commit(strangerOrigin(workspaceId, '198.51.100.1', 'curl'), [
    { action: 'authentication.failed', entity: { type: 'workspace', id: workspaceId }, result: 'denied' },
  ]);
  await world.nextDay();
  await world.job();
  await createNamespace(vault, owner, { name: 'new' });
  await createNamespace(vault, owner, { name: 'newer' });
  await world.seal();
  const lane = { workspaceId, lane: 0 };
  return { world, workspaceId, secretId, keyId: apiKey.id, earlier, removed, lane };
}

/** What somebody does who can write the tables and the bucket, and how it is told. */
const tamperings: readonly (readonly [
  name: string,
  apply: (scene: Scene) => unknown,
  expected: (scene: Scene) => object,
])[] = [
  [
    'edits a secret',
    ({ world, secretId }) => world.tamperer.editEntity('secret', secretId, { tags: ['tampered'] }),
    ({ secretId }) => ({ seq: 6, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } }),
  ],
  [
    "makes a viewer's key an owner's",
    ({ world, keyId }) => world.tamperer.editEntity('apiKey', keyId, { role: 'owner' }),
    ({ keyId }) => ({ seq: 10, reason: 'entity_altered', entity: { kind: 'apiKey', id: keyId } }),
  ],
  [
    'edits a secret and has it name a row to come',
    ({ world, secretId }) => {
      const { entity } = world.tamperer.entity('secret', secretId);
      world.tamperer.putEntity({ ...entity, revision: 9 }, { lane: 0, seq: 9_999 });
    },
    ({ secretId }) => ({ seq: 6, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } }),
  ],
  [
    'edits a secret and has it name the row of another',
    ({ world, secretId }) => {
      const { entity } = world.tamperer.entity('secret', secretId);
      world.tamperer.putEntity({ ...entity, revision: 9 }, { lane: 0, seq: 9 });
    },
    ({ secretId }) => ({ seq: 6, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } }),
  ],
  [
    'removes a secret',
    ({ world, secretId }) => world.tamperer.removeEntity('secret', secretId),
    ({ secretId }) => ({ seq: 6, reason: 'entity_missing', entity: { kind: 'secret', id: secretId } }),
  ],
  [
    'removes the workspace',
    ({ world, workspaceId }) => world.tamperer.removeEntity('workspace', workspaceId),
    ({ workspaceId }) => ({
      seq: 1,
      reason: 'entity_missing',
      entity: { kind: 'workspace', id: workspaceId },
    }),
  ],
  [
    'puts a secret back as it was, with the row of then',
    ({ world, earlier }) => world.tamperer.putEntity(earlier.entity, earlier.row),
    ({ secretId }) => ({ seq: 6, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } }),
  ],
  [
    'brings a removed namespace back',
    ({ world, removed }) => world.tamperer.putEntity(removed.entity, removed.row),
    () => ({ seq: 9, reason: 'entity_unexplained', entity: { kind: 'namespace', id: 'old' } }),
  ],
  [
    'edits a row',
    ({ world, lane }) => world.tamperer.editBytes(lane, 5, (text) => text.replace('203.0', '192.0'), false),
    () => ({ lane: 0, seq: 5, reason: 'hash_mismatch' }),
  ],
  [
    'edits a row and its hash',
    ({ world, lane }) => world.tamperer.editBytes(lane, 5, (text) => text.replace('203.0', '192.0'), true),
    () => ({ lane: 0, seq: 6, reason: 'broken_link' }),
  ],
  [
    "spoils a row's hash alone",
    ({ world, lane }) => world.tamperer.putRow({ ...world.tamperer.row(lane, 5), hash: '' }),
    () => ({ lane: 0, seq: 5, reason: 'hash_mismatch' }),
  ],
  [
    'removes a row',
    ({ world, lane }) => world.tamperer.removeRow(lane, 5),
    () => ({ lane: 0, seq: 5, reason: 'missing_row' }),
  ],
  [
    'swaps two rows',
    ({ world: { tamperer }, lane }) => {
      const [one, other] = [tamperer.row(lane, 5), tamperer.row(lane, 6)];
      tamperer.putRow({ ...other, seq: 5 });
      tamperer.putRow({ ...one, seq: 6 });
    },
    () => ({ lane: 0, seq: 5, reason: 'wrong_place' }),
  ],
  [
    'cuts off the end of the lane',
    ({ world, lane }) => {
      const last = world.vault.tables.lane(lane).at(-1)?.seq ?? 0;
      world.tamperer.removeRow(lane, last);
    },
    ({ world, lane }) => ({
      lane: 0,
      seq: (world.vault.tables.lane(lane).at(-1)?.seq ?? 0) + 1,
      reason: 'log_shrunk',
    }),
  ],
  [
    "removes the strangers' lane",
    ({ world, workspaceId }) => world.tamperer.removeRow({ workspaceId, lane: 1 }, 1),
    () => ({ lane: 1, seq: 1, reason: 'log_shrunk' }),
  ],
  [
    'writes the whole lane anew, every hash and link fitting',
    ({ world, lane }) => world.tamperer.rewriteFrom(lane, 5, (row) => ({ ...row, ip: '192.0.2.1' })),
    () => ({ lane: 0, seq: 5, reason: 'log_forked' }),
  ],
  [
    'writes the rows anew that came since the last verification, every hash and link fitting',
    ({ world, lane }) => {
      const last = world.vault.tables.lane(lane).at(-1)?.seq ?? 0;
      world.tamperer.rewriteFrom(lane, last, (row) => ({ ...row, ip: '192.0.2.1' }));
    },
    ({ world, lane }) => ({ seq: world.vault.tables.lane(lane).at(-1)?.seq, reason: 'log_forked' }),
  ],
  [
    'publishes a checkpoint of their own',
    async ({ world, workspaceId }) => {
      const key = `log/${workspaceId}/checkpoint`;
      const { archive } = world.vault.log;
      const note = Buffer.from(archive.current(key)?.bytes ?? []).toString();
      const forger = new MemorySigner(new Uint8Array(32).fill(99));
      const { signature } = await forger.sign(Buffer.from(note));
      const line = note.slice(note.indexOf('\u2014'));
      const keyId = Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(0, 4);
      const forged = Buffer.concat([keyId, signature]).toString('base64');
      archive.put(key, Buffer.from(note.replace(/(\u2014 \S+) \S+/, `$1 ${forged}`)));
    },
    () => ({ reason: 'bad_signature' }),
  ],
  [
    'puts an earlier checkpoint in place of the last',
    ({ world, workspaceId }) => {
      const { archive } = world.vault.log;
      const [first] = archive.keys(`log/${workspaceId}/seals/`);
      archive.put(`log/${workspaceId}/checkpoint`, archive.current(first ?? '')?.bytes ?? new Uint8Array());
    },
    () => ({ reason: 'unsealed' }),
  ],
  [
    'hides a tile of the log',
    ({ world, workspaceId }) => {
      const { archive } = world.vault.log;
      for (const key of archive.keys(`log/${workspaceId}/tile/0/`)) archive.hide(key);
    },
    () => ({ reason: 'archive_missing' }),
  ],
  [
    'writes a row and its leaf in the log anew',
    ({ world, workspaceId, lane }) => {
      const { archive } = world.vault.log;
      const before = Buffer.from(world.tamperer.row(lane, 5).hash, 'hex');
      world.tamperer.rewriteFrom(lane, 5, (row) => ({ ...row, ip: '192.0.2.1' }));
      const after = Buffer.from(rowHash(world.tamperer.row(lane, 5).bytes), 'hex');
      for (const key of archive.keys(`log/${workspaceId}/tile/0/`)) {
        const tile = Buffer.from(archive.current(key)?.bytes ?? []);
        const at = tile.indexOf(before);
        if (at >= 0) archive.put(key, Buffer.concat([tile.subarray(0, at), after, tile.subarray(at + 32)]));
      }
    },
    () => ({ reason: 'log_forked' }),
  ],
  [
    "hides yesterday's manifest",
    ({ world, workspaceId }) => world.vault.log.archive.hide(manifestKey(workspaceId, '2026-01-01')),
    () => ({ reason: 'archive_missing', entity: { kind: 'manifest', id: '2026-01-01' } }),
  ],
  [
    "edits yesterday's manifest",
    ({ world, workspaceId }) => {
      const key = manifestKey(workspaceId, '2026-01-01');
      const text = Buffer.from(world.vault.log.archive.current(key)?.bytes ?? []).toString();
      world.vault.log.archive.put(key, Buffer.from(text.replace('"rows":', '"rows":1')));
    },
    () => ({ reason: 'bad_signature', entity: { kind: 'manifest', id: '2026-01-01' } }),
  ],
];

describe.each([3, 20_000])('a complete verification in slices of %d finds it when somebody', (slice) => {
  it.each(tamperings)('%s', async (_name, apply, expected) => {
    const made = await scene();
    const { world, workspaceId } = made;
    await apply(made);
    const found = expected(made);
    world.vault.clock.advance(60 * 60 * 1000);
    const findings = await world.verify(workspaceId, 'complete', slice);
    expect(findings.breaks).toContainEqual(expect.objectContaining(found));
    expect(world.alerts).toContainEqual(
      expect.objectContaining({ tier: 'critical', kind: 'audit_break', workspaceId }),
    );
  });
});
