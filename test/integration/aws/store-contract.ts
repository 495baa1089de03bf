import { apiKeyKind } from '../../../core/identity/api-key.ts';
import { type Entity, type Kind, listPosition, remove, update } from '../../../core/kernel/entity.ts';
import type { ListQuery } from '../../../core/kernel/store.ts';
import {
  deletedSecretList,
  type Secret,
  secretKind,
  secretList,
  secretNameKind,
  secretVersionKind,
} from '../../../core/secrets/secret.ts';
import {
  sampleApiKey,
  sampleName,
  sampleNamespace,
  sampleSecret,
  sampleVersion,
} from '../../support/samples.ts';
import { LaneWriter, newWorkspace, type Ports } from './ports.ts';

/** What every `Store` must do. */
export function describeStore(getPorts: () => Ports): void {
  let ports: Ports;
  let writer: LaneWriter;
  let ws: string;
  beforeEach(() => {
    ports = getPorts();
    ws = newWorkspace();
    writer = new LaneWriter(ports.ledger, ws);
  });

  /** All entries of a list, by pages of `limit`. */
  async function listed<E extends Entity>(
    kind: Kind<E>,
    query: Omit<ListQuery, 'limit'>,
    limit = 2,
  ): Promise<E[]> {
    const found: E[] = [];
    let after = query.after;
    do {
      const page = await ports.store.list(kind, {
        ...query,
        limit,
        ...(after === undefined ? {} : { after }),
      });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      found.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return found;
  }
  const names = (items: readonly Secret[]): string[] =>
    items.map(({ namespace, name }) => `${namespace}/${name}`);

  it('an entity comes back as it was written', async () => {
    const fields = { description: 'Ünïcode 🔑\n"quoted"', tags: ['a', ''] };
    const secret = sampleSecret(ws, 'sec_1', fields);
    const version = sampleVersion(ws, 'sec_1', 1, Buffer.from([0, 1, 254, 255]));
    await writer.append(secret, version);
    expect(await ports.store.get(secretKind, ws, 'sec_1')).toEqual(secret.entity);
    const found = await ports.store.get(secretVersionKind, ws, 'sec_1.1');
    expect(Buffer.from(found?.ciphertext ?? []).toString('hex')).toBe('0001feff');
  });

  it("absent and another workspace's entities are nothing alike", async () => {
    await writer.append(sampleSecret(ws, 'sec_1'), sampleApiKey(ws, `key_${ws}`));
    const other = newWorkspace();
    expect(await ports.store.get(secretKind, ws, 'sec_2')).toBeUndefined();
    expect(await ports.store.get(secretKind, other, 'sec_1')).toBeUndefined();
    expect(await ports.store.get(apiKeyKind, other, `key_${ws}`)).toBeUndefined();
    expect(await ports.store.getMany(secretKind, other, ['sec_1'])).toEqual([]);
    expect(await ports.store.getWithNewest(secretKind, secretVersionKind, other, 'sec_1')).toBeUndefined();
  });

  it('a key is found without its workspace', async () => {
    const key = sampleApiKey(ws, `key_${ws}`);
    await writer.append(key);
    expect(await ports.store.find(apiKeyKind, `key_${ws}`)).toEqual(key.entity);
    expect(await ports.store.get(apiKeyKind, ws, `key_${ws}`)).toEqual(key.entity);
    expect(await ports.store.find(apiKeyKind, 'key_none')).toBeUndefined();
  });

  it('a hundred are read at once, absent ones left out', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `s${index}`);
    await writer.append(...ids.slice(0, 60).map((id) => sampleSecret(ws, id)));
    const found = await ports.store.getMany(secretKind, ws, ids);
    expect(found.map(({ id }) => id).sort()).toEqual(ids.slice(0, 60).sort());
    expect(await ports.store.getMany(secretKind, ws, [])).toEqual([]);
  });

  describe('a list', () => {
    const NAMES = ['a/b', 'a/B', 'a/_', 'ab/a', 'a.b/c', 'A/z', 'a/b1'];
    const SORTED = ['A/z', 'a.b/c', 'a/B', 'a/_', 'a/b', 'a/b1', 'ab/a'];
    beforeEach(async () => {
      const made = NAMES.map((full, index) => {
        const [namespace = '', name = ''] = full.split('/');
        return sampleSecret(ws, `sec_${index}`, { namespace, name });
      });
      await writer.append(...made, sampleSecret(ws, 'gone', { deletedAt: '2026-01-01T00:00:00.000Z' }));
    });
    const list = () => ({ list: secretList(ws) });

    it.each([1, 2, 3, 7, 100])('by pages of %i is sorted by the bytes of its key', async (limit) => {
      expect(names(await listed(secretKind, list(), limit))).toEqual(SORTED);
    });

    it('by a prefix holds that alone', async () => {
      expect(names(await listed(secretKind, { ...list(), prefix: 'a/' }))).toEqual([
        'a/B',
        'a/_',
        'a/b',
        'a/b1',
      ]);
      expect(await listed(secretKind, { ...list(), prefix: 'none/' })).toEqual([]);
    });

    it('goes on after any entry, though it has left the list', async () => {
      const [entry] = (await listed(secretKind, list())).filter(({ name }) => name === '_');
      if (entry === undefined) throw new Error('The entry is missing.');
      const after = listPosition(secretKind, entry);
      expect(names(await listed(secretKind, { ...list(), after }))).toEqual(['a/b', 'a/b1', 'ab/a']);
      await writer.append(remove(secretKind, entry));
      expect(names(await listed(secretKind, { ...list(), after }))).toEqual(['a/b', 'a/b1', 'ab/a']);
      expect(names(await listed(secretKind, { ...list(), prefix: 'a/', after }))).toEqual(['a/b', 'a/b1']);
    });

    it('loses an entry that moves to another list', async () => {
      const [entry] = await listed(secretKind, list());
      if (entry === undefined) throw new Error('The list is empty.');
      await writer.append(update(secretKind, entry, { deletedAt: '2025-01-01T00:00:00.000Z' }));
      expect(names(await listed(secretKind, list()))).toEqual(SORTED.slice(1));
      const deleted = await listed(secretKind, { list: deletedSecretList(ws) });
      expect(deleted.map(({ id }) => id)).toEqual([entry.id, 'gone']);
    });

    it('of another workspace is empty', async () => {
      expect(await listed(secretKind, { list: secretList(newWorkspace()) })).toEqual([]);
    });
  });

  it('entries with one key are all listed, and none is lost between pages', async () => {
    const ids = ['3', '1', '4', '2', '5'];
    await writer.append(...ids.map((id) => sampleSecret(ws, id, { namespace: 'n', name: 'same' })));
    const found = (await listed(secretKind, { list: secretList(ws) })).map(({ id }) => id);
    expect(found.toSorted()).toEqual(ids.toSorted());
  });

  describe('children', () => {
    it('the newest comes with its parent: by number, not by text', async () => {
      const versions = [1, 2, 9, 10].map((version) => sampleVersion(ws, 's', version));
      await writer.append(sampleSecret(ws, 's'), ...versions, sampleVersion(ws, 'other', 11));
      expect(await ports.store.getWithNewest(secretKind, secretVersionKind, ws, 's')).toMatchObject({
        parent: { id: 's' },
        newest: { version: 10 },
      });
    });

    it('a parent without children has no newest, and children without a parent are not found by it', async () => {
      await writer.append(sampleSecret(ws, 's'), sampleVersion(ws, 'orphan', 1));
      const found = await ports.store.getWithNewest(secretKind, secretVersionKind, ws, 's');
      expect(found?.newest).toBeUndefined();
      expect(found?.parent.id).toBe('s');
      expect(await ports.store.getWithNewest(secretKind, secretVersionKind, ws, 'orphan')).toBeUndefined();
    });

    it.each([1, 2, 3, 12])('are listed newest first by pages of %i', async (limit) => {
      const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
      await writer.append(sampleSecret(ws, 's'), ...numbers.map((number) => sampleVersion(ws, 's', number)));
      const found: number[] = [];
      let after: string | undefined;
      do {
        const page = await ports.store.listChildren(secretVersionKind, ws, 's', {
          limit,
          ...(after === undefined ? {} : { after }),
        });
        found.push(...page.items.map(({ version }) => version));
        after = page.next;
      } while (after !== undefined);
      expect(found).toEqual(numbers.toReversed());
    });

    it('names belong to their namespace', async () => {
      await writer.append(
        sampleNamespace(ws, 'prod'),
        sampleName(ws, 'prod', 'db', 's1'),
        sampleName(ws, 'prod-2', 'db', 's2'),
      );
      const { items } = await ports.store.listChildren(secretNameKind, ws, 'prod', { limit: 10 });
      expect(items.map(({ secretId }) => secretId)).toEqual(['s1']);
      expect((await ports.store.listChildren(secretNameKind, ws, 'none', { limit: 1 })).items).toEqual([]);
    });
  });
}
