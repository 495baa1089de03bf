import type { RequestContext } from '../../../core/access/principal.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { exportSecrets } from '../../../core/secrets/export-secrets.ts';
import { listSecrets } from '../../../core/secrets/list-secrets.ts';
import { MAX_DESCRIPTION_LENGTH, MAX_TAG_LENGTH, MAX_TAGS } from '../../../core/secrets/secret.ts';
import type { SecretFilter } from '../../../core/secrets/select-secrets.ts';
import { viewSecret } from '../../../lambdas/api/routes/views.ts';
import { entityKey } from '../../support/memory-store.ts';
import { callerWith, installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { sampleSecret } from '../../support/samples.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
/** 130 secrets in each of two namespaces; every 13th is tagged and described, every 26th is CUI. */
beforeAll(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  for (const namespace of ['dev', 'prod']) {
    for (let index = 0; index < 130; index += 1) {
      const marked = index % 13 === 0;
      await createSecret(vault, owner, {
        namespace,
        name: `n${String(index).padStart(3, '0')}`,
        value: 'v',
        ...(marked ? { tags: ['rare', 'x'], description: 'The Database' } : {}),
        isCUI: index % 26 === 0,
      });
    }
  }
});

/** All pages, as a client follows its cursors. */
async function all(filter: SecretFilter, limit: number, caller = owner): Promise<string[]> {
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await listSecrets(vault, caller, filter, {
      limit,
      ...(after === undefined ? {} : { after }),
    });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    found.push(...page.items.map(({ namespace, name }) => `${namespace}/${name}`));
    after = page.next;
  } while (after !== undefined);
  return found;
}

const RARE = Array.from({ length: 10 }, (_, index) => `n${String(index * 13).padStart(3, '0')}`);
const of = (namespace: string, names: readonly string[]): string[] =>
  names.map((name) => `${namespace}/${name}`);

it.each([1, 7, 100, 130, 260, 1_000])('by pages of %i every secret comes once, in order', async (limit) => {
  const found = await all({}, limit);
  expect(found).toHaveLength(260);
  expect(found).toEqual(found.toSorted());
  expect(new Set(found).size).toBe(260);
});

it.each([1, 2, 3, 10, 20, 100])('sparse matches come once by pages of %i', async (limit) => {
  expect(await all({ tag: 'rare' }, limit)).toEqual([...of('dev', RARE), ...of('prod', RARE)]);
});

it.each<[string, SecretFilter, number]>([
  ['a namespace', { namespace: 'prod' }, 130],
  ['a namespace that is the start of another', { namespace: 'pro' }, 0],
  ['a tag', { tag: 'rare' }, 20],
  ['part of a tag', { tag: 'rar' }, 0],
  ['CUI', { isCUI: true }, 10],
  ['no CUI', { isCUI: false }, 250],
  ['part of the name, in any case', { q: 'N01' }, 20],
  ['part of the description, in any case', { q: 'dataBASE' }, 20],
  ['text across name and description', { q: '000the' }, 0],
  ['all at once', { namespace: 'dev', tag: 'rare', isCUI: true, q: 'n0' }, 4],
  ['the deleted', { deleted: true }, 0],
])('filters by %s', async (_, filter, count) => {
  expect(await all(filter, 50)).toHaveLength(count);
});

it('a caller limited to a namespace sees that alone, and may not name another', async () => {
  const limited = callerWith({ workspaceId, role: 'viewer', namespaces: ['prod', 'none'] });
  const found = await all({}, 50, limited);
  expect(found).toHaveLength(130);
  expect(found.every((name) => name.startsWith('prod/'))).toBe(true);
  await expect(all({ namespace: 'dev' }, 50, limited)).rejects.toMatchObject({ code: 'forbidden' });
});

it('another workspace sees none', async () => {
  expect(await all({}, 50, callerWith({ workspaceId: 'ws_other' }))).toEqual([]);
});

it('touches no key and no version', async () => {
  const before = vault.keys.calls.length;
  await all({}, 100);
  expect(vault.keys.calls).toHaveLength(before);
});

it('is recorded, each page with its count', async () => {
  await listSecrets(vault, owner, { tag: 'rare' }, { limit: 7 });
  expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
    action: 'secret.listed',
    detail: { count: '7' },
  });
});

it('an export holds everything that the caller may see, and says which', async () => {
  expect((await exportSecrets(vault, owner, {})).items).toHaveLength(260);
  const cui = await exportSecrets(vault, owner, { isCUI: true });
  expect(cui.items.every(({ isCUI }) => isCUI)).toBe(true);
  expect(cui).not.toHaveProperty('next');
  expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
    action: 'secret.exported',
    detail: { count: '10', isCUI: 'true' },
  });
  const limited = callerWith({ workspaceId, role: 'viewer', namespaces: ['prod'] });
  expect((await exportSecrets(vault, limited, {})).items).toHaveLength(130);
});

it('looks at a thousand entries at most, and goes on from there though none fitted', async () => {
  for (let index = 0; index < 900; index += 1)
    await createSecret(vault, owner, { namespace: 'bulk', name: `b${index}`, value: 'v' });
  const page = await listSecrets(vault, owner, { q: 'n129' }, { limit: 10 });
  expect(page.items).toEqual([]);
  expect(page.next).toBeDefined();
  expect(await all({ q: 'n129' }, 10)).toEqual(['dev/n129', 'prod/n129']);
});

it.each(['\\', '\u65e5'])(
  'an export of secrets with all the %j they can have comes in parts, each small enough to be sent',
  async (character) => {
    const big = await installedVault();
    const description = character.repeat(MAX_DESCRIPTION_LENGTH);
    const tags = Array.from({ length: MAX_TAGS }, (_, index) =>
      String(index).padEnd(MAX_TAG_LENGTH, character),
    );
    for (let index = 0; index < 1_200; index += 1) {
      const fields = { namespace: 'n', name: `n${index}`, description, tags };
      const { entity } = sampleSecret(big.installed.workspaceId, `sec_${index}`, fields);
      big.vault.tables.entities.set(entityKey(entity), { entity, row: { lane: 0, seq: 1 } });
    }
    const found: string[] = [];
    const sizes: number[] = [];
    let after: string | undefined;
    do {
      const page = await exportSecrets(big.vault, big.owner, {}, after);
      // The answer is text in a JSON string, of at most 6 MiB.
      const text = page.items.map((secret) => Object.values(viewSecret(secret)).join(',')).join('\n');
      sizes.push(Buffer.byteLength(JSON.stringify(text)));
      found.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(sizes.filter((size) => size > 6 * 1024 * 1024)).toEqual([]);
    expect(sizes.length).toBeGreaterThan(1);
    expect(new Set(found).size).toBe(1_200);
    expect(found).toHaveLength(1_200);
  },
);
