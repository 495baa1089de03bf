import { z } from 'zod';
import type { ExplainedChange } from '../../../core/audit/ledger.ts';
import { create, type Kind, listPosition, remove } from '../../../core/kernel/entity.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { createNote, type Note, noteKind, WORKSPACE } from '../../support/notes.ts';

const pageSchema = z.strictObject({
  kind: z.literal('page'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int(),
});
type NotePage = z.infer<typeof pageSchema>;

/** Pages of a note: `<note>.<number>`. */
const pageKind: Kind<NotePage> = {
  name: 'page',
  schema: pageSchema,
  childOf: (id) => {
    const [parentId = '', order = ''] = id.split('.');
    return { parentId, order: order.padStart(4, '0') };
  },
};

let tables: MemoryTables;
let seq = 0;
beforeEach(() => {
  tables = new MemoryTables();
});

async function write(...changes: ExplainedChange['change'][]): Promise<void> {
  seq += 1;
  const stored = { workspaceId: WORKSPACE, lane: 0, seq, bytes: new Uint8Array(), hash: '', nonce: '' };
  await tables.ledger.append(
    [stored],
    changes.map((change) => ({ change, row: { lane: 0, seq } })),
  );
}

const page = (id: string) => create(pageKind, { workspaceId: WORKSPACE, id });

it('finds by id, within the workspace and whatever the workspace', async () => {
  await write(createNote('a', 'text'), createNote('b'));
  const { store } = tables;
  expect(await store.get(noteKind, WORKSPACE, 'a')).toMatchObject({ id: 'a', text: 'text' });
  expect(await store.get(noteKind, 'ws_2', 'a')).toBeUndefined();
  expect(await store.find(noteKind, 'b')).toMatchObject({ id: 'b' });
  expect(await store.find(pageKind, 'b')).toBeUndefined();
  expect((await store.getMany(noteKind, WORKSPACE, ['b', 'x', 'a'])).map(({ id }) => id).sort()).toEqual([
    'a',
    'b',
  ]);
});

it('keeps copies: what a caller does to its entity changes nothing', async () => {
  const change = createNote('a', 'before');
  await write(change);
  Object.assign(change.entity, { text: 'after' });
  const read = await tables.store.get(noteKind, WORKSPACE, 'a');
  Object.assign(read ?? {}, { text: 'after' });
  expect(await tables.store.get(noteKind, WORKSPACE, 'a')).toMatchObject({ text: 'before' });
});

it('lists by key, then by id, page by page', async () => {
  const notes = [createNote('3', 'b'), createNote('1', 'b'), createNote('2', 'ab'), createNote('4', 'é')];
  await write(...notes);
  const query = { list: `${WORKSPACE}#notes`, limit: 3 };
  const first = await tables.store.list(noteKind, query);
  expect(first.items.map(({ id }) => id)).toEqual(['2', '1', '3']);
  const second = await tables.store.list(noteKind, { ...query, after: first.next ?? '' });
  expect(second.items.map(({ id }) => id)).toEqual(['4']);
  expect(second).not.toHaveProperty('next');

  const after = listPosition(noteKind, notes[1]?.entity as Note);
  expect((await tables.store.list(noteKind, { ...query, after })).items.map(({ id }) => id)).toEqual([
    '3',
    '4',
  ]);
  expect((await tables.store.list(noteKind, { ...query, prefix: 'b' })).items.map(({ id }) => id)).toEqual([
    '1',
    '3',
  ]);
  expect((await tables.store.list(noteKind, { ...query, list: 'ws_2#notes' })).items).toEqual([]);
});

it('gives children newest first, by their order and not by their text', async () => {
  await write(createNote('n'), ...['n.1', 'n.2', 'n.10', 'm.11'].map(page));
  const { store } = tables;
  expect(await store.getWithNewest(noteKind, pageKind, WORKSPACE, 'n')).toMatchObject({
    parent: { id: 'n' },
    newest: { id: 'n.10' },
  });
  expect(await store.getWithNewest(noteKind, pageKind, WORKSPACE, 'm')).toBeUndefined();
  const first = await store.listChildren(pageKind, WORKSPACE, 'n', { limit: 2 });
  expect(first).toMatchObject({ items: [{ id: 'n.10' }, { id: 'n.2' }], next: 'n.2' });
  const rest = await store.listChildren(pageKind, WORKSPACE, 'n', { limit: 2, after: 'n.2' });
  expect(rest.items.map(({ id }) => id)).toEqual(['n.1']);
});

it('fails closed on what does not fit its schema, and forgets what is removed', async () => {
  const change = createNote('a');
  await write(change);
  for (const [key, stored] of tables.entities)
    tables.entities.set(key, { ...stored, entity: { ...stored.entity, revision: 0 } });
  await expect(tables.store.get(noteKind, WORKSPACE, 'a')).rejects.toMatchObject({ code: 'internal' });
  tables.entities.clear();
  await write(change);
  await write(remove(noteKind, change.entity));
  expect(await tables.store.get(noteKind, WORKSPACE, 'a')).toBeUndefined();
});
