import type { RequestContext } from '../../../core/access/principal.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { revealByName } from '../../../core/secrets/reveal-by-name.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { MAX_BULK_SECRETS, revealSecrets } from '../../../core/secrets/reveal-secrets.ts';
import { callerWith, installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

let vault: MemoryVault;
let owner: RequestContext;
/** What the vault does with keys and rows, in order. */
let steps: string[];
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  steps = [];
});

async function make(name: string, value = 'value', namespace = 'prod'): Promise<string> {
  return (await createSecret(vault, owner, { namespace, name, value })).id;
}
const rows = () => rowsOf(vault, owner.principal.workspaceId);
const lastRows = (count: number) =>
  rows()
    .slice(-count)
    .map(({ action, result, detail }) => [action, result, detail['code'] ?? '']);

/** Writes down appends and decryptions from now on; the key service refuses ciphertexts of these secrets. */
function watch(...refused: string[]): MemoryVault {
  vault.tables.faults = async ({ name }) => {
    if (name === 'ledger.append') steps.push('row');
    return 'none';
  };
  const keys = Object.assign(Object.create(vault.keys) as MemoryVault['keys'], {
    decrypt: async (...args: Parameters<MemoryVault['keys']['decrypt']>) => {
      steps.push('decrypt');
      if (refused.includes(args[2].secretId)) throw new VaultError('key_unavailable', 'It is disabled.');
      return vault.keys.decrypt(...args);
    },
  });
  return { ...vault, keys };
}

describe('revealing a secret', () => {
  it.each(['', 'value', '🔑 Ünïcode\n\0"', 'x'.repeat(64 * 1024)])(
    'gives the value that was stored',
    async (value) => {
      const id = await make('a', value);
      expect((await revealSecret(vault, owner, { id })).value).toBe(value);
    },
  );

  it('gives the current version, or the one asked for', async () => {
    const id = await make('a', 'one');
    await putValue(vault, owner, id, 'two');
    await putValue(vault, owner, id, 'three');
    const reveal = async (version?: number) => (await revealSecret(vault, owner, { id, version })).value;
    expect([await reveal(), await reveal(1), await reveal(2)]).toEqual(['three', 'one', 'two']);
    await expect(reveal(4)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('writes its row first, then decrypts once', async () => {
    const id = await make('a');
    await revealSecret(watch(), owner, { id });
    expect(steps).toEqual(['row', 'decrypt']);
    expect(rows().at(-1)).toMatchObject({
      action: 'secret.revealed',
      entity: { type: 'secret', id },
      detail: { version: '1' },
      changes: [],
    });
  });

  it('without a row decrypts nothing', async () => {
    const id = await make('a');
    vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    await expect(revealSecret(vault, owner, { id })).rejects.toMatchObject({ code: 'unavailable' });
    expect(vault.keys.calls).not.toContain('decrypt');
  });

  it('that the key service refuses leaves a second row that says so', async () => {
    const id = await make('a');
    await expect(revealSecret(watch(id), owner, { id })).rejects.toMatchObject({ code: 'key_unavailable' });
    expect(lastRows(2)).toEqual([
      ['secret.revealed', 'success', ''],
      ['secret.revealed', 'failure', 'key_unavailable'],
    ]);
  });

  it.each([
    ['with the id left', (target: string, version: object) => ({ ...version, id: `${target}.1` })],
    [
      'with names and all but its own',
      (target: string, version: object) => ({ ...version, id: `${target}.1`, secretId: target }),
    ],
  ])("of another secret's version, put in its place %s, reveals nothing", async (_, forge) => {
    const crown = await make('crown', 'the crown jewels');
    const mine = await make('mine', 'nothing', 'dev');
    const tamperer = new Tamperer(vault.tables);
    const { entity: stolen } = tamperer.entity('secretVersion', `${crown}.1`);
    tamperer.editEntity('secretVersion', `${mine}.1`, forge(mine, stolen));
    const limited = callerWith({ workspaceId: owner.principal.workspaceId, namespaces: ['dev'] });
    for (const ask of [
      () => revealSecret(vault, limited, { id: mine }),
      () => revealSecret(vault, limited, { id: mine, version: 1 }),
      () => revealByName(vault, limited, { namespace: 'dev', name: 'mine' }),
    ]) {
      const error = await ask().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(VaultError);
    }
    const bulk = await revealSecrets(vault, limited, { ids: [mine] });
    expect(bulk).toMatchObject({ items: [], errors: [{ id: mine }] });
  });

  it('of a ciphertext that was replaced reveals nothing, and says so', async () => {
    const id = await make('a');
    const other = await make('b', 'other');
    const tamperer = new Tamperer(vault.tables);
    const { ciphertext, nonce, tag } = tamperer.entity('secretVersion', `${other}.1`).entity as never;
    tamperer.editEntity('secretVersion', `${id}.1`, { ciphertext, nonce, tag });
    await expect(revealSecret(vault, owner, { id })).rejects.toMatchObject({ code: 'internal' });
    expect(lastRows(1)).toEqual([['secret.revealed', 'failure', 'internal']]);
  });

  it('leaves no plaintext key behind', async () => {
    const id = await make('a');
    await revealSecret(vault, owner, { id });
    for (const key of vault.keys.handedOut) expect(key.every((byte) => byte === 0)).toBe(true);
  });

  it('is refused for a deleted secret, another workspace and a viewer, without a key being touched', async () => {
    const id = await make('a');
    const { workspaceId } = owner.principal;
    const foreign = callerWith({ role: 'owner', workspaceId: 'ws_other' });
    await expect(revealSecret(vault, foreign, { id })).rejects.toMatchObject({ code: 'not_found' });
    const viewer = callerWith({ role: 'viewer', workspaceId });
    await expect(revealSecret(vault, viewer, { id })).rejects.toMatchObject({ code: 'forbidden' });
    const limited = callerWith({ workspaceId, namespaces: ['dev'] });
    await expect(revealSecret(vault, limited, { id })).rejects.toMatchObject({ code: 'forbidden' });
    await deleteSecret(vault, owner, id);
    await expect(revealSecret(vault, owner, { id })).rejects.toMatchObject({ code: 'secret_deleted' });
    expect(vault.keys.calls).not.toContain('decrypt');
  });
});

describe('revealing by name', () => {
  const named = (context: RequestContext, at = vault) =>
    revealByName(at, context, { namespace: 'prod', name: 'a' });

  it('gives the value and its revision', async () => {
    await make('a');
    expect(await named(owner)).toMatchObject({
      secret: { revision: 1 },
      revealed: { value: 'value', version: 1 },
    });
  });

  it.each<[readonly number[] | '*', boolean]>([
    [[1], true],
    [[3, 1], true],
    ['*', true],
    [[2], false],
    [[], false],
  ])('to one who has revision %p decrypts nothing: %p', async (ifNoneMatch, unchanged) => {
    await make('a');
    const { revealed } = await named({ ...owner, precondition: { ifNoneMatch } }, watch());
    expect(revealed === undefined).toBe(unchanged);
    expect(steps).toEqual(unchanged ? ['row'] : ['row', 'decrypt']);
    expect(rows().at(-1)).toMatchObject(
      unchanged ? { action: 'secret.read', detail: { notModified: 'true' } } : { action: 'secret.revealed' },
    );
  });

  it('tells nothing of a name in a namespace that the caller is not allowed in', async () => {
    await make('a');
    const limited = callerWith({ workspaceId: owner.principal.workspaceId, namespaces: ['dev'] });
    await expect(named(limited)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(named(callerWith({ workspaceId: 'ws_other' }))).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('revealing many', () => {
  it('writes all rows before the first decryption', async () => {
    const ids = [await make('a', '1'), await make('b', '2'), await make('c', '3')];
    const { items, errors } = await revealSecrets(watch(), owner, { ids });
    expect(items.map(({ value }) => value)).toEqual(['1', '2', '3']);
    expect(errors).toEqual([]);
    expect(steps).toEqual(['row', 'decrypt', 'decrypt', 'decrypt']);
    expect(lastRows(4).map(([action]) => action)).toEqual([
      'secret.bulk_revealed',
      'secret.revealed',
      'secret.revealed',
      'secret.revealed',
    ]);
  });

  it('names each once, though asked for twice', async () => {
    const id = await make('a');
    expect((await revealSecrets(watch(), owner, { ids: [id, id] })).items).toHaveLength(1);
    expect(steps).toEqual(['row', 'decrypt']);
  });

  it("keeps back none for another's fault: absent, deleted, refused by the key service", async () => {
    const good = await make('a', '1');
    const deleted = await make('b');
    const refused = await make('c');
    await deleteSecret(vault, owner, deleted);
    const { items, errors } = await revealSecrets(watch(refused), owner, {
      ids: ['sec_none', deleted, refused, good],
    });
    expect(items.map(({ secret }) => secret.id)).toEqual([good]);
    expect(errors.map(({ id, code }) => [id, code])).toEqual([
      ['sec_none', 'not_found'],
      [deleted, 'secret_deleted'],
      [refused, 'key_unavailable'],
    ]);
    expect(lastRows(6)).toEqual([
      ['secret.bulk_revealed', 'failure', ''],
      ['secret.revealed', 'success', ''],
      ['secret.revealed', 'success', ''],
      ['secret.revealed', 'failure', 'not_found'],
      ['secret.revealed', 'failure', 'secret_deleted'],
      ['secret.revealed', 'failure', 'key_unavailable'],
    ]);
    const named = rows()
      .slice(-6)
      .map(({ entity }) => entity.id);
    expect(named.slice(3)).toEqual(['sec_none', deleted, refused]);
  });

  it('of a namespace gives all of it, without the deleted ones', async () => {
    await make('a', '1');
    await make('b', '2');
    await make('other', '3', 'prod-2');
    await deleteSecret(vault, owner, await make('c'));
    const { items, errors } = await revealSecrets(vault, owner, { namespace: 'prod' });
    expect([items.map(({ value }) => value), errors]).toEqual([['1', '2'], []]);
    expect(await revealSecrets(vault, owner, { namespace: 'none' })).toEqual({ items: [], errors: [] });
  });

  it('takes a namespace of 50 and refuses one of 51, before any row or key', async () => {
    for (let index = 0; index < MAX_BULK_SECRETS; index += 1) await make(`n${index}`);
    expect((await revealSecrets(vault, owner, { namespace: 'prod' })).items).toHaveLength(50);
    await make('one-more');
    await expect(revealSecrets(watch(), owner, { namespace: 'prod' })).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'namespace' }],
    });
    expect(steps).toEqual([]);
  });

  it('shows nothing of namespaces that the caller is not allowed in', async () => {
    const ids = [await make('a'), await make('b', 'dev value', 'dev')];
    const limited = callerWith({ workspaceId: owner.principal.workspaceId, namespaces: ['dev'] });
    const { items, errors } = await revealSecrets(vault, limited, { ids });
    expect(items.map(({ value }) => value)).toEqual(['dev value']);
    expect(errors).toMatchObject([{ id: ids[0], code: 'forbidden' }]);
    expect(rows().at(-1)).toMatchObject({
      action: 'secret.revealed',
      entity: { type: 'secret', id: ids[0] },
      result: 'denied',
      detail: { code: 'forbidden' },
    });
    await expect(revealSecrets(vault, limited, { namespace: 'prod' })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it.each([
    // A quote is four bytes when it is escaped in the body and again around it; a control character is seven.
    ['"', 4],
    ['\\', 4],
    ['\n', 3],
    ['\0', 7],
  ])('stays within what Lambda can answer, escaped twice: %j', async (character, bytes) => {
    const ids: string[] = [];
    for (let index = 0; index < 50; index += 1)
      ids.push(await make(`n${index}`, character.repeat(64 * 1024)));
    const { items, errors } = await revealSecrets(vault, owner, { ids });
    const answer = JSON.stringify({ body: JSON.stringify(items.map(({ value }) => value)) });
    expect(Buffer.byteLength(answer)).toBeLessThan(6_000_000);
    // One more would have been too many.
    expect(items.length).toBe(Math.floor(5_500_000 / (64 * 1024 * bytes)));
    expect(items.length + errors.length).toBe(50);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['payload_too_large']));
  });
});

describe('when the key service had to be asked more than once', () => {
  const attempts = () =>
    rows()
      .filter(({ detail }) => detail['attempts'] !== undefined)
      .map(({ action, result, entity, detail }) => [action, result, entity.id, detail['attempts']]);

  it('a row tells so after each opening', async () => {
    const [a, b] = [await make('a'), await make('b')];
    vault.keys.attempts = 2;
    await revealSecret(vault, owner, { id: a });
    await revealSecrets(vault, owner, { ids: [a, b] });
    expect(attempts()).toEqual([a, a, b].map((id) => ['key.decrypt_retried', 'success', id, '2']));
  });

  it('the row of a failure tells so, whether the service failed or the value is damaged', async () => {
    const [a, b] = [await make('a'), await make('b')];
    vault.keys.attempts = 3;
    const tamperer = new Tamperer(vault.tables);
    tamperer.editEntity('secretVersion', `${a}.1`, { wrappedKey: new Uint8Array(60) });
    tamperer.editEntity('secretVersion', `${b}.1`, { tag: new Uint8Array(16) });
    await expect(revealSecret(vault, owner, { id: a })).rejects.toMatchObject({ code: 'key_unavailable' });
    await expect(revealSecret(vault, owner, { id: b })).rejects.toMatchObject({ code: 'internal' });
    expect(attempts()).toEqual([a, b].map((id) => ['secret.revealed', 'failure', id, '3']));
  });

  it('the value stays in the vault while that row cannot be written', async () => {
    const id = await make('a');
    vault.keys.attempts = 2;
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name === 'ledger.append') appends += 1;
      return name === 'ledger.append' && appends > 1 ? 'before' : 'none';
    };
    await expect(revealSecret(vault, owner, { id })).rejects.toMatchObject({ code: 'unavailable' });
  });
});
