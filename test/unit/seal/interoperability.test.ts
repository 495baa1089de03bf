import { sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import { readNaively } from '../../support/naive-log.ts';
import { LOG_NAME, SealWorld, WORKSPACE } from '../../support/seal-world.ts';

/**
 * Another implementation needs three things: where a log lies, its origin, and its public key. It gets files by their
 * paths, and whatever it may know it computes from them.
 */
test('a published log is read by its paths alone, with nothing of ours but the public key', async () => {
  const world = new SealWorld();
  await world.write(5, 1);
  await sealWorkspace(world.parts, WORKSPACE);
  await world.write(600, 40);
  await sealWorkspace(world.parts, WORKSPACE, { force: true });

  const files = new Map(
    world.archive
      .keys(`log/${WORKSPACE}/`)
      .map((key) => [key.slice(`log/${WORKSPACE}/`.length), world.archive.current(key)?.bytes]),
  );
  const asked: string[] = [];
  const read = async (path: string) => {
    asked.push(path);
    return files.get(path);
  };
  const [key] = await world.signer.publicKeys();
  const log = await readNaively(read, `${LOG_NAME}/${WORKSPACE}`, key?.publicKey ?? new Uint8Array());

  expect(log.size).toBe(647);
  expect(asked).toEqual([
    'checkpoint',
    'tile/entries/000',
    'tile/entries/001',
    'tile/entries/002.p/135',
    'tile/0/000',
    'tile/0/001',
    'tile/0/002.p/135',
    'tile/1/000.p/2',
  ]);
  const rows = log.entries.map((entry) => JSON.parse(entry.toString('utf8')));
  expect(rows.filter(({ lane }) => lane === '0').map(({ seq }) => Number(seq))).toEqual(
    Array.from({ length: 606 }, (_, index) => index + 1),
  );
  expect(rows.filter(({ lane }) => lane === '1')).toHaveLength(41);
});
