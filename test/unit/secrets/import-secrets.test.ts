import type { RequestContext } from '../../../core/access/principal.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import {
  type ImportedSecret,
  type ImportInput,
  importSecrets,
} from '../../../core/secrets/import-secrets.ts';
import { revealByName } from '../../../core/secrets/reveal-by-name.ts';
import {
  callerWith,
  installedVault,
  type MemoryVault,
  memoryVault,
  rowsOf,
} from '../../support/memory-vault.ts';

let vault: MemoryVault;
let owner: RequestContext;
let keyed: RequestContext;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  keyed = { ...owner, idempotencyKey: 'import-1' };
});

const file = (count: number): string =>
  Array.from({ length: count }, (_, index) => `N${index}=v${index}\n`).join('');
const input = (count: number, onConflict: ImportInput['onConflict'] = 'fail'): ImportInput => ({
  format: 'env',
  namespace: 'prod',
  content: file(count),
  onConflict,
});
const run = (what: ImportInput, context = owner, at = vault) => importSecrets(at, context, what);
const outcomes = (items: readonly ImportedSecret[]) => {
  const groups = Object.groupBy(items, ({ outcome }) => outcome);
  return Object.fromEntries(Object.entries(groups).map(([outcome, group]) => [outcome, group.length]));
};
const count = (kind: string): number =>
  [...vault.tables.entities.values()].filter(({ entity }) => entity.kind === kind).length;
const rows = () => rowsOf(vault, owner.principal.workspaceId);
const slices = () => rows().flatMap(({ action, detail }) => (action === 'secret.imported' ? [detail] : []));
const value = async (name: string) =>
  (await revealByName(vault, owner, { namespace: 'prod', name })).revealed?.value;

it('stores every credential, in slices of twenty, each with its row', async () => {
  expect(outcomes(await run(input(45)))).toEqual({ created: 45 });
  expect(slices()).toEqual([
    { count: '20', of: '45' },
    { count: '20', of: '45' },
    { count: '5', of: '45' },
  ]);
  expect(rows().filter(({ action }) => action === 'secret.created')).toHaveLength(45);
  expect([await value('N0'), await value('N44')]).toEqual(['v0', 'v44']);
  expect(await verifyWorkspace(vault, owner.principal.workspaceId)).toMatchObject({ ok: true });
});

it('with any fault in the content nothing is written', async () => {
  await expect(run({ ...input(0), content: `${file(30)}broken` })).rejects.toMatchObject({
    code: 'invalid_request',
  });
  expect(count('secret')).toBe(0);
  expect(count('namespace')).toBe(0);
});

describe('where some are there already', () => {
  beforeEach(async () => {
    await createSecret(vault, owner, { namespace: 'prod', name: 'N1', value: 'old' });
    await createSecret(vault, owner, { namespace: 'prod', name: 'N25', value: 'old' });
  });

  it('"fail" writes nothing and names them all', async () => {
    await expect(run(input(30))).rejects.toMatchObject({
      code: 'import_conflict',
      errors: [
        { path: 'N1', reason: 'exists already' },
        { path: 'N25', reason: 'exists already' },
      ],
    });
    expect(count('secret')).toBe(2);
  });

  it('"skip" leaves them as they are', async () => {
    expect(outcomes(await run(input(30, 'skip')))).toEqual({ created: 28, skipped: 2 });
    expect([await value('N1'), await value('N0')]).toEqual(['old', 'v0']);
  });

  it('"upsert" writes a new version of them', async () => {
    const items = await run(input(30, 'upsert'));
    expect(outcomes(items)).toEqual({ created: 28, updated: 2 });
    expect([await value('N1'), await value('N25')]).toEqual(['v1', 'v25']);
    expect(rows().filter(({ action }) => action === 'secret.value_updated')).toHaveLength(2);
  });

  it('a deleted one blocks every mode, since it keeps its name', async () => {
    const [secret] = [...vault.tables.entities.values()].filter(({ entity }) => entity.kind === 'secret');
    await deleteSecret(vault, owner, secret?.entity.id ?? '');
    for (const mode of ['fail', 'skip', 'upsert'] as const) {
      await expect(run(input(30, mode))).rejects.toMatchObject({
        code: 'import_conflict',
        errors: expect.arrayContaining([{ path: 'N1', reason: expect.stringContaining('is deleted') }]),
      });
    }
    expect(count('secret')).toBe(2);
  });
});

/** Loses every append from number `from` on. */
function failFromAppend(from: number): void {
  let appends = 0;
  vault.tables.faults = async ({ name }) => {
    if (name !== 'ledger.append') return 'none';
    appends += 1;
    return appends >= from ? 'before' : 'none';
  };
}
const heal = (): void => {
  vault.tables.faults = async () => 'none';
};

describe('an import that is interrupted', () => {
  it('goes on where it was, when the request is repeated with its Idempotency-Key', async () => {
    failFromAppend(2);
    await expect(run(input(50), keyed)).rejects.toMatchObject({ code: 'unavailable' });
    expect(count('secret')).toBe(20);
    heal();
    const items = await run(input(50), keyed, memoryVault(vault));
    expect(items.map(({ name }) => name)).toEqual(Array.from({ length: 50 }, (_, index) => `N${index}`));
    expect(outcomes(items)).toEqual({ created: 50 });
    expect([count('secret'), count('secretVersion'), count('secretName')]).toEqual([50, 50, 50]);
  });

  it('without a key goes on with "skip"', async () => {
    failFromAppend(2);
    await expect(run(input(50))).rejects.toMatchObject({ code: 'unavailable' });
    heal();
    await expect(run(input(50))).rejects.toMatchObject({ code: 'import_conflict' });
    expect(outcomes(await run(input(50, 'skip')))).toEqual({ created: 30, skipped: 20 });
  });

  it('at any call, before it took effect or after, ends with each secret once', async () => {
    for (const fault of ['before', 'after'] as const) {
      for (let at = 1, calls = 1; at <= calls; at += 1) {
        ({ vault, owner } = await installedVault());
        keyed = { ...owner, idempotencyKey: 'k' };
        calls = 0;
        let dead = false;
        vault.tables.faults = async () => {
          calls += 1;
          if (dead) return 'before';
          dead = calls === at;
          return dead ? fault : 'none';
        };
        await run(input(25, 'upsert'), keyed).catch(() => undefined);
        heal();
        await run(input(25, 'upsert'), keyed, memoryVault(vault));
        const found = [count('secret'), count('secretVersion')];
        expect({ fault, at, found }).toEqual({ fault, at, found: [25, 25] });
      }
    }
  });
});

describe('an import that is repeated with its Idempotency-Key', () => {
  it('when it is done gives the same answer, writes nothing, and is recorded', async () => {
    const first = await run(input(25), keyed);
    expect(await run(input(25), keyed)).toEqual(first);
    expect(count('secret')).toBe(25);
    expect(slices().at(-1)).toEqual({ count: '0', of: '25' });
  });

  it('with another content is refused', async () => {
    await run(input(25), keyed);
    await expect(run(input(26), keyed)).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('a day later is an import of its own', async () => {
    await run(input(3), keyed);
    vault.clock.advance(DAY_MS);
    await expect(run(input(3), keyed)).rejects.toMatchObject({ code: 'import_conflict' });
    expect(outcomes(await run({ ...input(3), namespace: 'dev' }, keyed))).toEqual({ created: 3 });
  });

  it('at the same time has its effect once', async () => {
    const results = await Promise.allSettled([
      run(input(25), keyed),
      run(input(25), keyed, memoryVault(vault)),
    ]);
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect([count('secret'), count('secretVersion')]).toEqual([25, 25]);
    expect(outcomes(await run(input(25), keyed))).toEqual({ created: 25 });
  });
});

it('somebody who makes one of the secrets meanwhile is not overwritten', async () => {
  const other = memoryVault(vault);
  let done = false;
  vault.tables.faults = async ({ name }) => {
    if (name === 'ledger.append' && !done) {
      done = true;
      await createSecret(other, owner, { namespace: 'prod', name: 'N1', value: 'theirs' });
    }
    return 'none';
  };
  await expect(run(input(3))).rejects.toMatchObject({ code: 'concurrent_change' });
  expect(await value('N1')).toBe('theirs');
  expect(count('secret')).toBe(1);
});

it('a namespace that was closed and opened again meanwhile takes the rest', async () => {
  const other = memoryVault(vault);
  let appends = 0;
  vault.tables.faults = async ({ name }) => {
    if (name !== 'ledger.append') return 'none';
    appends += 1;
    if (appends === 2) await deleteNamespace(other, owner, 'prod').catch(() => undefined);
    return 'none';
  };
  expect(outcomes(await run(input(25)))).toEqual({ created: 25 });
  expect(rows().map(({ action }) => action)).toContain('namespace.reopened');
});

it('is for operators of the namespace', async () => {
  const { workspaceId } = owner.principal;
  for (const caller of [
    callerWith({ workspaceId, role: 'viewer' }),
    callerWith({ workspaceId, namespaces: ['dev'] }),
  ])
    await expect(run(input(1), caller)).rejects.toMatchObject({ code: 'forbidden' });
});
