import type { SealState } from '../../../core/seal/seal-state.ts';
import { sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import { SealWorld, WORKSPACE } from '../../support/seal-world.ts';
import { Tamperer } from '../../support/tamper.ts';

const PREFIX = `log/${WORKSPACE}/`;
const CHECKPOINT = `${PREFIX}checkpoint`;
const lane = { workspaceId: WORKSPACE, lane: 0 };

let world: SealWorld;
let tamperer: Tamperer;
/** As it stood after the first of two seals. */
let earlier: { readonly state: SealState; readonly checkpoint: Uint8Array };

const seal = () => sealWorkspace(world.parts, WORKSPACE, { force: true });
const state = (): SealState => {
  const found = world.seals.states.get(WORKSPACE);
  if (found === undefined) throw new Error('There is no state.');
  return found;
};
const object = (key: string): Uint8Array => world.archive.current(key)?.bytes ?? new Uint8Array();
const kinds = () => world.alerts.map(({ tier, kind, subject }) => `${tier} ${kind} ${subject}`);
const seals = () => world.archive.keys(`${PREFIX}seals/`).length;

beforeEach(async () => {
  world = new SealWorld();
  tamperer = new Tamperer(world.tables);
  await world.write(4, 1);
  await seal();
  earlier = { state: state(), checkpoint: object(CHECKPOINT) };
  await world.write(3, 1);
  await seal();
  await world.write(2);
});

/** Refused: nothing more is signed, now and at the next run, whatever is written meanwhile. */
async function expectRefusal(reason: string, subject: string): Promise<void> {
  const before = seals();
  expect(await seal()).toEqual({ status: 'refused', reason });
  expect(kinds()).toEqual([`critical ${reason} ${subject}`]);
  await world.write(1);
  expect(await seal()).toEqual({ status: 'refused', reason });
  expect(seals()).toBe(before);
}

describe('a log that is not what was sealed is refused', () => {
  test('its tail was cut', async () => {
    for (const { seq } of world.tables.lane(lane).slice(6)) tamperer.removeRow(lane, seq);
    expect(await seal()).toEqual({ status: 'refused', reason: 'log_shrunk' });
    expect(kinds()).toEqual(['critical log_shrunk row 0-8']);
  });

  test('the last sealed row was rewritten, and its hash with it', async () => {
    tamperer.editBytes(lane, 8, (text) => text.replace('secret.read', 'secret.rear'), true);
    await expectRefusal('log_forked', 'row 0-8');
  });

  test('all was re-chained from an earlier row on', async () => {
    tamperer.rewriteFrom(lane, 2, (row) => ({ ...row, action: 'secret.listed' }));
    await expectRefusal('log_forked', 'row 0-8');
  });

  test('another lane was rewritten', async () => {
    tamperer.editBytes({ ...lane, lane: 1 }, 2, (text) => text.replace('curl', 'wget'), true);
    await expectRefusal('log_forked', 'row 1-2');
  });

  test('the state was rolled back', async () => {
    world.seals.states.set(WORKSPACE, earlier.state);
    await expectRefusal('log_shrunk', 'checkpoint 10');
  });

  test('the state was removed', async () => {
    world.seals.states.delete(WORKSPACE);
    await expectRefusal('log_shrunk', 'checkpoint 10');
  });

  test('state and published checkpoint were both rolled back', async () => {
    world.seals.states.set(WORKSPACE, earlier.state);
    world.archive.put(CHECKPOINT, earlier.checkpoint);
    await expectRefusal('log_shrunk', `object ${PREFIX}seals/0000000000000010`);
  });

  test('state and published checkpoint were both removed', async () => {
    world.seals.states.delete(WORKSPACE);
    world.archive.hide(CHECKPOINT);
    await expectRefusal('log_shrunk', `object ${PREFIX}seals/0000000000000006`);
  });

  test.each<[string, Partial<SealState>]>([
    ['size', { size: 9 }],
    ['root', { root: '0'.repeat(64) }],
    ['frontier', { frontier: ['0'.repeat(64), '1'.repeat(64)] }],
    ['frontier, to nothing', { frontier: [] }],
    ['frontier, to no hashes', { frontier: ['x', 'y'] }],
    ['published size', { publishedSize: 11 }],
    ['published size, below zero', { publishedSize: -1 }],
    ['checkpoint', { checkpoint: 'a note' }],
  ])('the state was altered: %s', async (_, altered) => {
    world.seals.states.set(WORKSPACE, { ...state(), ...altered });
    await expectRefusal('log_forked', `state ${altered.size ?? 10}`);
  });

  test("the state is another workspace's", async () => {
    const other = `ws_${'6'.repeat(32)}`;
    await world.write(20, 0, other);
    await sealWorkspace(world.parts, other);
    const stolen = world.seals.states.get(other);
    world.seals.states.set(WORKSPACE, { ...state(), ...stolen, workspaceId: WORKSPACE });
    await expectRefusal('log_forked', 'state 21');
  });
});

describe('an archive that somebody wrote to', () => {
  test('the published checkpoint was replaced by an older one: alerted, and mended', async () => {
    world.archive.put(CHECKPOINT, earlier.checkpoint);
    expect(await seal()).toEqual({ status: 'sealed', size: 12 });
    expect(kinds()).toEqual([`critical archive_conflict object ${CHECKPOINT}`]);
    const published = world.archive.versions.get(CHECKPOINT)?.map((version) =>
      Number(
        Buffer.from(version?.bytes ?? [])
          .toString('utf8')
          .split('\n')[1],
      ),
    );
    expect(published).toEqual([6, 10, 6, 10, 12]);
  });

  test.each([
    ['by what is no checkpoint', () => world.archive.put(CHECKPOINT, Buffer.from('hello\n\n'))],
    ['by what is no text', () => world.archive.put(CHECKPOINT, Uint8Array.of(255))],
    ['by nothing', () => world.archive.hide(CHECKPOINT)],
  ])('it was replaced %s', async (_, spoil) => {
    spoil();
    expect(await seal()).toEqual({ status: 'sealed', size: 12 });
    expect(kinds()).toEqual([`critical archive_conflict object ${CHECKPOINT}`]);
    expect(Buffer.from(object(CHECKPOINT)).toString('utf8')).toBe(state().checkpoint);
  });

  test.each([
    ['a tile', 'tile/0/000.p/12'],
    ['a bundle', 'tile/entries/000.p/12'],
  ])(
    '%s was planted: it is never taken for ours, and nothing that refers to it is published',
    async (_, path) => {
      world.archive.put(`${PREFIX}${path}`, Buffer.from('planted'));
      await expectRefusal('archive_conflict', `object ${PREFIX}${path}`);
      expect(Buffer.from(object(CHECKPOINT)).toString('utf8')).toContain('\n10\n');
      world.alerts.length = 0;
      world.archive.hide(`${PREFIX}${path}`);
      expect(await seal()).toMatchObject({ status: 'sealed' });
      expect(kinds()).toEqual([]);
      expect((await world.checkLog().catch(({ message }) => message)).toString()).toContain(
        'versions of tile/',
      );
    },
  );

  test('a checkpoint was planted under a name that is not taken yet', async () => {
    const path = `${PREFIX}seals/0000000000000011`;
    world.archive.put(path, Buffer.from('planted'));
    await expectRefusal('archive_conflict', `object ${path}`);
  });

  test.each(['tile/0/000.p/10', 'tile/entries/000.p/10'])('the published %s was replaced', async (path) => {
    world.archive.put(`${PREFIX}${path}`, Buffer.alloc(320));
    expect(await seal()).toEqual({ status: 'refused', reason: 'archive_conflict' });
    expect(kinds()).toHaveLength(1);
  });

  test('both were, and fit each other', async () => {
    const forged = new SealWorld();
    await forged.write(9);
    await sealWorkspace(forged.parts, WORKSPACE);
    for (const path of ['tile/0/000.p/10', 'tile/entries/000.p/10']) {
      world.archive.put(
        `${PREFIX}${path}`,
        forged.archive.current(`${PREFIX}${path}`)?.bytes ?? new Uint8Array(),
      );
    }
    await expectRefusal('archive_conflict', 'checkpoint 10');
  });
});

describe('what was sealed and not published', () => {
  beforeEach(async () => {
    world.tables.faults = async ({ name }) => (name === 'archive.create' ? 'before' : 'none');
    await expect(seal()).rejects.toMatchObject({ code: 'unavailable' });
    world.tables.faults = async () => 'none';
    expect(state()).toMatchObject({ size: 12, publishedSize: 10 });
  });

  test('is published from the staged entries, whatever the table says by now', async () => {
    tamperer.editBytes(lane, 10, (text) => text.replace('secret.read', 'secret.rear'), true);
    expect(await seal()).toEqual({ status: 'refused', reason: 'log_forked' });
    expect(Buffer.from(object(CHECKPOINT)).toString('utf8')).toBe(state().checkpoint);
    const spoiled = await world.checkLog().catch(({ message }) => message);
    expect(spoiled).toBe('Leaf 9 of lane 0 is not row 10.');
  });

  test.each([
    ['are gone', () => world.archive.staged.clear()],
    ['were altered', () => spoilStaged((bytes) => bytes.map((byte) => byte ^ 1))],
    ['were cut', () => spoilStaged((bytes) => bytes.subarray(0, 100))],
  ])('is published from the rows when the staged entries %s', async (_, spoil) => {
    spoil();
    expect(await seal()).toEqual({ status: 'current', size: 12 });
    expect((await world.checkLog()).unsealed).toBe(0);
    expect(kinds()).toEqual([]);
  });

  test('is refused when the rows were altered, too', async () => {
    world.archive.staged.clear();
    tamperer.editBytes(lane, 10, (text) => text.replace('secret.read', 'secret.rear'), true);
    await expectRefusal('archive_conflict', 'checkpoint 12');
  });

  function spoilStaged(spoil: (bytes: Uint8Array) => Uint8Array): void {
    for (const [key, bytes] of world.archive.staged) world.archive.staged.set(key, spoil(bytes));
  }
});
