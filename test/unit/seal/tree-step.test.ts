import { createHash } from 'node:crypto';
import { readEdge } from '../../../core/seal/read-edge.ts';
import { signCheckpoint } from '../../../core/seal/sign-checkpoint.ts';
import { extendTree, type LogFile, type TreeEdge } from '../../../core/seal/tree-step.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryArchive } from '../../support/memory-archive.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { readNaively } from '../../support/naive-log.ts';
import { SeededRandom } from '../../support/random.ts';
import { LOG_NAME, SealWorld, WORKSPACE } from '../../support/seal-world.ts';

jest.setTimeout(60_000);

const EMPTY: TreeEdge = { size: 0, levels: [], entries: [] };
const entry = (index: number) => Buffer.from(`entry ${index}`);
const entriesFrom = (begin: number, end: number) =>
  Array.from({ length: end - begin }, (_, at) => entry(begin + at));
const names = (files: readonly LogFile[]) => files.map(({ path }) => path);

/** Publishes a tree step by step, reading its edge back each time; sizes are where each step ends. */
async function grow(sizes: readonly number[]): Promise<{ world: SealWorld; note: string }> {
  const world = new SealWorld();
  let size = 0;
  let note = '';
  for (const next of sizes) {
    const edge = await readEdge({ archive: world.archive }, WORKSPACE, size);
    const step = extendTree(edge, entriesFrom(size, next));
    for (const { path, bytes } of step.files) world.archive.put(`log/${WORKSPACE}/${path}`, bytes);
    size = next;
    note = await signCheckpoint(world.parts, WORKSPACE, size, step.root);
    world.archive.put(`log/${WORKSPACE}/checkpoint`, Buffer.from(note));
  }
  return { world, note };
}

async function check(world: SealWorld): Promise<number> {
  const [key] = await world.signer.publicKeys();
  const read = async (path: string) => world.archive.current(`log/${WORKSPACE}/${path}`)?.bytes;
  return (await readNaively(read, `${LOG_NAME}/${WORKSPACE}`, key?.publicKey ?? new Uint8Array())).size;
}

test('no entries make no files', () => {
  const { files, root, frontier } = extendTree(EMPTY, []);
  expect({ files, frontier }).toEqual({ files: [], frontier: { size: 0, hashes: [] } });
  expect(Buffer.from(root).equals(createHash('sha256').digest())).toBe(true);
});

test('a tree has the files that C2SP tlog-tiles names for it', () => {
  expect(names(extendTree(EMPTY, entriesFrom(0, 1)).files)).toEqual([
    'tile/entries/000.p/1',
    'tile/0/000.p/1',
  ]);
  expect(names(extendTree(EMPTY, entriesFrom(0, 256)).files)).toEqual([
    'tile/entries/000',
    'tile/0/000',
    'tile/1/000.p/1',
  ]);
});

test('a tree of 70,000 leaves, in one step and in many, is the one that its entries make', async () => {
  const random = new SeededRandom(3);
  const sizes: number[] = [];
  for (let size = 0; size < 70_000; ) {
    size = Math.min(70_000, size + 1 + random.below(9_000));
    sizes.push(size);
  }
  const many = await grow(sizes);
  const once = await grow([70_000]);
  expect(many.note).toBe(once.note);
  expect(await check(many.world)).toBe(70_000);
  // The example of C2SP tlog-tiles, "Partial tiles".
  const tiles = (level: number) => once.world.archive.keys(`log/${WORKSPACE}/tile/${level}/`);
  expect([0, 1, 2].map((level) => tiles(level).length)).toEqual([274, 2, 1]);
  expect(
    [0, 1, 2].map((level) =>
      tiles(level)
        .filter((key) => key.includes('.p/'))
        .map(nameOf),
    ),
  ).toEqual([['273.p/112'], ['001.p/17'], ['000.p/1']]);
  for (const key of once.world.archive.keys()) {
    expect(many.world.archive.current(key)?.etag).toBe(once.world.archive.current(key)?.etag);
  }
});

test('each small tree, from each smaller one', async () => {
  for (const from of [0, 1, 2, 3, 255, 256, 257, 511]) {
    for (const to of [1, 255, 256, 257, 512, 513]) {
      if (to <= from) continue;
      const { world } = await grow(from === 0 ? [to] : [from, to]);
      expect(await check(world)).toBe(to);
    }
  }
});

test('what was spoiled at the edge is not built upon', async () => {
  const { world } = await grow([300]);
  const archive = new MemoryArchive(new MemoryTables(), new FakeClock());
  for (const path of ['tile/0/001.p/44', 'tile/1/000.p/1', 'tile/entries/001.p/44']) {
    for (const spoiled of [undefined, Buffer.alloc(3), Buffer.alloc(44 * 32)]) {
      archive.versions.clear();
      for (const key of world.archive.keys())
        archive.put(key, world.archive.current(key)?.bytes ?? Buffer.alloc(0));
      if (spoiled === undefined) archive.hide(`log/${WORKSPACE}/${path}`);
      else archive.put(`log/${WORKSPACE}/${path}`, spoiled);
      await expect(readEdge({ archive }, WORKSPACE, 300)).rejects.toMatchObject({
        reason: 'archive_conflict',
      });
    }
  }
});

function nameOf(key: string): string {
  return key.split('/').slice(4).join('/');
}
