import { openPublishedLog } from '../../../core/seal/published-log.ts';
import { sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import { verifyCosignature } from '../../../core/transparency/cosignature.ts';
import { formatVerifierKey, verifierKey } from '../../../core/transparency/signed-note.ts';
import { createCosigner } from '../../../core/witness/ask-witnesses.ts';
import { MemoryWitness } from '../../support/memory-witness.ts';
import { LOG_NAME, SealWorld, WORKSPACE } from '../../support/seal-world.ts';

/** A sealer that asks a witness, which remembers what it saw whatever becomes of the vault. */
async function witnessed(witness?: MemoryWitness) {
  const world = new SealWorld();
  const [log] = await world.signer.publicKeys();
  const watcher =
    witness ?? new MemoryWitness([{ logName: LOG_NAME, publicKey: log?.publicKey ?? new Uint8Array() }]);
  const [own] = await watcher.signer.publicKeys();
  const key = verifierKey(watcher.parts.name, own?.publicKey ?? new Uint8Array(), 4);
  const cosign = createCosigner({
    witnesses: [{ url: 'https://witness.example.com', verifierKey: formatVerifierKey(key) }],
    client: watcher,
    alerts: world.parts.alerts,
  });
  return {
    world,
    witness: watcher,
    key,
    seal: () => sealWorkspace({ ...world.parts, cosign }, WORKSPACE, { force: true }),
    note: async () => (await openPublishedLog(world.parts, WORKSPACE))?.note ?? '',
  };
}

it('every checkpoint is published with the cosignature of a witness who saw the log grow', async () => {
  const { world, witness, key, seal, note } = await witnessed();
  for (const rows of [3, 300, 1]) {
    await world.write(rows);
    await seal();
    expect(verifyCosignature(await note(), key)).toBeGreaterThan(0);
  }
  expect(witness.answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(world.alerts).toEqual([]);
});

it('a vault that was set up anew under the old name gets no cosignature for its other history', async () => {
  const first = await witnessed();
  await first.world.write(20);
  await first.seal();
  // The same key and name, empty tables and an empty archive: nothing in the vault remembers.
  const second = await witnessed(first.witness);
  second.world.clock.advance(1_000);
  await second.world.write(20, 1);
  expect(await second.seal()).toMatchObject({ status: 'sealed' });
  expect(await second.note()).not.toContain(first.witness.parts.name);
  expect(second.world.alerts.map(({ tier, kind }) => `${tier} ${kind}`)).toEqual([
    'critical witness_refused',
  ]);
});
