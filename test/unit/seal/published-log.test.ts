import { sealPath } from '../../../core/seal/log-origin.ts';
import { CheckpointError, openPublishedLog, readCheckpoint } from '../../../core/seal/published-log.ts';
import { sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import { leafHash } from '../../../core/transparency/merkle.ts';
import { inclusionProof, verifyInclusion } from '../../../core/transparency/proofs.ts';
import { MemorySigner } from '../../support/memory-signer.ts';
import { LOG_NAME, SealWorld, WORKSPACE } from '../../support/seal-world.ts';

const KEY = `log/${WORKSPACE}/checkpoint`;
let world: SealWorld;
beforeEach(async () => {
  world = new SealWorld();
});

test('before the first seal there is none', async () => {
  expect(await readCheckpoint(world.parts, WORKSPACE)).toBeUndefined();
  expect(await openPublishedLog(world.parts, WORKSPACE)).toBeUndefined();
});

test('proofs of rows come from its tiles and lead to its checkpoint', async () => {
  await world.write(300, 2);
  await sealWorkspace(world.parts, WORKSPACE);
  const log = await openPublishedLog(world.parts, WORKSPACE);
  if (log === undefined) throw new Error('It is published.');
  const { size, root, origin } = log.checkpoint;
  expect({ size, origin }).toEqual({ size: 303, origin: `${LOG_NAME}/${WORKSPACE}` });
  for (const row of world.tables.rows.values()) {
    const { firstLeaf = 0, firstSeq = 0 } = (await world.seals.segmentOf(WORKSPACE, row.lane, row.seq)) ?? {};
    const leaf = firstLeaf + row.seq - firstSeq;
    verifyInclusion(leafHash(row.bytes), leaf, size, await inclusionProof(log.nodes, leaf, size), root);
  }
});

test('an earlier checkpoint is read by its size', async () => {
  await world.write(3);
  await sealWorkspace(world.parts, WORKSPACE);
  await world.write(3);
  await sealWorkspace(world.parts, WORKSPACE, { force: true });
  expect((await readCheckpoint(world.parts, WORKSPACE, sealPath(4)))?.checkpoint.size).toBe(4);
  expect((await readCheckpoint(world.parts, WORKSPACE))?.checkpoint.size).toBe(7);
});

test("what is not signed by our key, or for another log, is no checkpoint of this log's", async () => {
  const other = `ws_${'6'.repeat(32)}`;
  await world.write(1);
  await world.write(1, 0, other);
  await sealWorkspace(world.parts, WORKSPACE);
  await sealWorkspace(world.parts, other);
  const own = Buffer.from(world.archive.current(KEY)?.bytes ?? []);
  const foreign = world.archive.current(`log/${other}/checkpoint`)?.bytes ?? new Uint8Array();
  const altered = Buffer.from(own.toString('utf8').replace('\n2\n', '\n3\n'));
  for (const bytes of [foreign, altered, own.subarray(0, -2), Uint8Array.of(0xff)]) {
    const { etag } = world.archive.put(KEY, bytes);
    const failure = await readCheckpoint(world.parts, WORKSPACE).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CheckpointError);
    expect(failure).toMatchObject({ etag });
  }
  world.archive.put(KEY, own);
  const signer = new MemorySigner(new Uint8Array(32).fill(8));
  await expect(readCheckpoint({ ...world.parts, signer }, WORKSPACE)).rejects.toThrow(CheckpointError);
});
