import type { RequestContext } from '../../../core/access/principal.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER, installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';
import { brokenWorkspaces, verified } from '../../support/verified.ts';
import { verifyDeployment, type WorkspaceResult } from '../../support/verify-deployment.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let tamperer: Tamperer;
/** After set-up: 4 namespace and 5 secret made. One stranger came to the platform. */
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  tamperer = new Tamperer(vault.tables);
  await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' });
  await authenticate(vault, headerCredentials(), CALLER).catch(() => undefined);
});

const broken = () => brokenWorkspaces(vault);

describe('misses a workspace that vanished', () => {
  const vanish = (id: string, what: { rows: boolean; entities: boolean }): void => {
    const { entities, rows } = vault.tables;
    for (const [key, { entity }] of entities)
      if (what.entities && entity.workspaceId === id) entities.delete(key);
    for (const [key, row] of rows) if (what.rows && row.workspaceId === id) rows.delete(key);
  };

  it('with every entity and every row, once it was registered', async () => {
    await verified(vault);
    vanish(workspaceId, { rows: true, entities: true });
    const missing = { [workspaceId]: [{ lane: 0, seq: 1, reason: 'missing_row' }] };
    expect(await broken()).toEqual(missing);
    expect(await broken()).toEqual(missing);
  });

  it('with its entities alone', async () => {
    await verified(vault);
    vanish(workspaceId, { rows: false, entities: true });
    const found = (await broken())[workspaceId] ?? [];
    expect(new Set(found.map(({ reason }) => reason))).toEqual(new Set(['entity_missing']));
    expect(found).toHaveLength(8);
  });

  it('with its rows alone', async () => {
    await verified(vault);
    vanish(workspaceId, { rows: true, entities: false });
    const found = (await broken())[workspaceId] ?? [];
    expect(found[0]).toEqual({ lane: 0, seq: 1, reason: 'missing_row' });
    expect(found.slice(1).map(({ reason }) => reason)).toEqual(Array(8).fill('entity_unexplained'));
  });
});

describe('one workspace that cannot be verified', () => {
  let other: string;
  /** The others go on, whatever stops this one. */
  const stop = (operation: 'rows' | 'commit'): typeof vault => {
    const fail = async () => {
      throw new Error('Something nobody foresaw.');
    };
    const { ledger, trail } = vault;
    return operation === 'rows'
      ? {
          ...vault,
          ledger: {
            ...ledger,
            rows: (lane, ...rest) => (lane.workspaceId === workspaceId ? fail() : ledger.rows(lane, ...rest)),
          },
        }
      : {
          ...vault,
          trail: {
            commit: (origin, events) =>
              origin.workspaceId === workspaceId ? fail() : trail.commit(origin, events),
          },
        };
  };
  beforeEach(async () => {
    other = await addWorkspace(vault);
  });

  it.each(['rows', 'commit'] as const)(
    'is told with its error, and keeps no other from it: %s',
    async (what) => {
      const results: WorkspaceResult[] = [];
      for await (const result of verifyDeployment(stop(what))) results.push(result);
      expect(results).toMatchObject([
        { workspaceId: PLATFORM_WORKSPACE, verification: { ok: true } },
        { workspaceId, error: { message: 'Something nobody foresaw.' } },
        { workspaceId: other, verification: { ok: true } },
      ]);
      expect(results[1]).not.toHaveProperty('verification');
      expect(rowsOf(vault, other).at(-1)).toMatchObject({ action: 'audit.verified', result: 'success' });
    },
  );

  it('does not hide what is broken in another', async () => {
    tamperer.editEntity('workspace', other, { name: 'Forged' });
    const results: WorkspaceResult[] = [];
    for await (const result of verifyDeployment(stop('rows'))) results.push(result);
    expect(results[2]?.verification?.breaks).toMatchObject([{ reason: 'entity_altered' }]);
  });
});
