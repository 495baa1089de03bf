import type { RequestContext } from '../../../core/access/principal.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { secretKind } from '../../../core/secrets/secret.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { callerWith, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { alertsOf, recordedAlerts, showRows } from '../../support/raised-alerts.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerToken: string;
let owner: RequestContext;
/** What the vault does with rows, keys and alerts, in order. */
let steps: string[];
beforeEach(async () => {
  const world = await apiWorld();
  ({ workspaceId, ownerToken } = world);
  steps = [];
  const alerts = recordedAlerts(world.vault, 'api');
  vault = {
    ...world.vault,
    alerts: {
      raise: async (alert) => {
        steps.push('alert');
        await alerts.raise(alert);
      },
    },
  };
  owner = callerWith({ workspaceId, role: 'owner' });
});

type Extra = Partial<Parameters<typeof callApi>[1]>;
const call = (method: string, path: string, json?: object, extra: Extra = {}): Promise<ApiResponse> =>
  callApi(vault, { method, path, token: ownerToken, ...(json === undefined ? {} : { json }), ...extra });
const bodyOf = ({ json }: ApiResponse) => json as Record<string, unknown>;

async function make(name: string, rest: object = {}): Promise<string> {
  const answer = await call('POST', '/secrets', {
    namespace: 'prod',
    name,
    value: `value of ${name}`,
    ...rest,
  });
  if (answer.status !== 201) throw new Error(`The secret was not made: ${answer.text}`);
  return String(bodyOf(answer)['id']);
}
const decoy = (name = 'stripe-live') => make(name, { decoy: true });
const rows = () => rowsOf(vault, workspaceId);
const alerts = async () =>
  (await alertsOf(vault, workspaceId)).map(({ tier, alertKind, subject, count }) => [
    tier,
    alertKind,
    subject,
    count,
  ]);

/** An answer without what differs between any two secrets. */
function shape({ status, headers, json }: ApiResponse, id: string, name: string): string {
  return JSON.stringify({ status, headers, json }).replaceAll(id, '<id>').replaceAll(name, '<name>');
}

describe('whoever opens a decoy raises a critical alert in the same request', () => {
  const WAYS: readonly [string, (id: string) => Promise<ApiResponse>, string][] = [
    ['by id', (id) => call('POST', `/secrets/${id}/reveal`), 'secret.revealed'],
    ['an earlier version', (id) => call('POST', `/secrets/${id}/reveal`, { version: 1 }), 'secret.revealed'],
    ['by name', () => call('GET', '/namespaces/prod/secrets/stripe-live/value'), 'secret.revealed'],
    ['in bulk', (id) => call('POST', '/secrets/reveal', { ids: [id] }), 'secret.revealed'],
    ['with its namespace', () => call('POST', '/secrets/reveal', { namespace: 'prod' }), 'secret.revealed'],
    [
      'for a rollback',
      (id) => call('POST', `/secrets/${id}/rollback`, { version: 1 }),
      'secret.rollback_requested',
    ],
  ];

  it.each(WAYS)('%s', async (_, open, action) => {
    const id = await decoy();
    expect((await open(id)).status).toBe(200);
    expect(await alerts()).toEqual([['critical', 'decoy_revealed', `secret ${id}`, 1]]);
    const opened = rows().find((row) => row.action === action);
    expect(opened?.detail).toEqual({ version: '1', namespace: 'prod', decoy: 'true' });
    const raised = rows().find((row) => row.action === 'alert.raised');
    expect(raised).toMatchObject({
      actor: { type: 'system', id: 'api' },
      detail: {
        rows: `0-${opened?.seq}`,
        actorType: 'api_key',
        actorId: opened?.actor.id,
        ip: '203.0.113.7',
      },
    });
  });

  it('each time anew, and not once more when the guard is shown the row', async () => {
    const id = await decoy();
    for (let time = 0; time < 3; time += 1) await call('POST', `/secrets/${id}/reveal`);
    await showRows(vault);
    await showRows(vault);
    expect(await alerts()).toEqual([['critical', 'decoy_revealed', `secret ${id}`, 3]]);
  });

  it('the guard raises it when the request could not', async () => {
    const id = await decoy();
    const { raise } = vault.alerts;
    vault = { ...vault, alerts: { raise: async () => undefined } };
    expect((await call('POST', `/secrets/${id}/reveal`)).status).toBe(200);
    expect(await alerts()).toEqual([]);
    vault = { ...vault, alerts: { raise } };
    await showRows(vault);
    expect(await alerts()).toEqual([['critical', 'decoy_revealed', `secret ${id}`, 1]]);
  });

  it('one for each decoy that is revealed in bulk, and none for the rest', async () => {
    const decoys = [await decoy('a'), await decoy('b')];
    const plain = await make('c');
    const answer = await call('POST', '/secrets/reveal', { ids: [plain, ...decoys] });
    expect(bodyOf(answer)['items']).toHaveLength(3);
    const told = await alertsOf(vault, workspaceId);
    expect(told.map(({ subject }) => subject).toSorted()).toEqual(
      decoys.map((id) => `secret ${id}`).toSorted(),
    );
    const revealed = rows().filter(({ action }) => action === 'secret.revealed');
    expect(told.map(({ rows: [row] }) => row).toSorted()).toEqual(
      revealed.filter(({ detail }) => detail['decoy']).map(({ seq }) => `0-${seq}`),
    );
  });

  it('none for any other secret, nor for one that is only looked at', async () => {
    await call('POST', `/secrets/${await make('plain')}/reveal`);
    const id = await decoy();
    await call('GET', `/secrets/${id}`);
    await call('GET', `/secrets/${id}/versions`);
    await call('GET', '/secrets');
    const headers = { 'If-None-Match': '"v1"' };
    expect(
      (await call('GET', '/namespaces/prod/secrets/stripe-live/value', undefined, { headers })).status,
    ).toBe(304);
    expect(await alerts()).toEqual([]);
  });

  it('after its row stands and beside the call of the key service, also when that fails', async () => {
    const id = await decoy();
    vault.tables.faults = async ({ name }) => {
      if (name === 'ledger.append') steps.push('row');
      return 'none';
    };
    const keys = Object.assign(Object.create(vault.keys) as MemoryVault['keys'], {
      decrypt: async () => {
        steps.push('decrypt');
        throw new VaultError('key_unavailable', 'It is disabled.');
      },
    });
    await expect(revealSecret({ ...vault, keys }, owner, { id })).rejects.toMatchObject({
      code: 'key_unavailable',
    });
    expect(steps.slice(0, 3)).toEqual(['row', 'alert', 'decrypt']);
    expect(await alerts()).toHaveLength(1);
    const failed = rows().find(({ action, result }) => action === 'secret.revealed' && result === 'failure');
    expect(failed?.detail).toEqual({
      version: '1',
      namespace: 'prod',
      decoy: 'true',
      code: 'key_unavailable',
      keyArn: vault.keys.keyArn,
    });
    await showRows(vault);
    expect((await alertsOf(vault, workspaceId))[0]?.count).toBe(1);
  });
});

describe('a decoy looks like any other secret', () => {
  it('in every answer, to the last byte', async () => {
    const pairs = [
      { id: await decoy('decoy-1'), name: 'decoy-1' },
      { id: await make('plain-1'), name: 'plain-1' },
    ];
    for (const [method, suffix, json] of [
      ['GET', '', undefined],
      ['POST', '/reveal', {}],
      ['GET', '/versions', undefined],
      ['PATCH', '', { description: 'd' }],
      ['PUT', '/value', { value: 'next' }],
      ['POST', '/rollback', { version: 1 }],
      ['DELETE', '', undefined],
      ['POST', '/restore', undefined],
    ] as const) {
      const shapes: string[] = [];
      for (const { id, name } of pairs) {
        shapes.push(shape(await call(method, `/secrets/${id}${suffix}`, json), id, name));
      }
      expect(new Set(shapes).size).toBe(1);
      expect(shapes[0]).not.toMatch(/decoy/);
    }
    for (const { id } of pairs) await call('DELETE', `/secrets/${id}`);
    expect(
      JSON.stringify(await call('GET', '/secrets', undefined, { query: { deleted: 'true' } })),
    ).not.toMatch(/"decoy"/);
  });

  it('in the answer that makes it, in lists and in the export', async () => {
    const made = await call('POST', '/secrets', { namespace: 'prod', name: 'x', value: 'v', decoy: true });
    const list = await call('GET', '/secrets');
    const exported = await call('GET', '/secrets/export');
    for (const { json, text } of [made, list, exported]) {
      expect(JSON.stringify([json, text])).toContain('prod');
      expect(JSON.stringify([json, text])).not.toMatch(/decoy/);
    }
    expect(JSON.stringify(rows().filter(({ action }) => action === 'secret.created'))).not.toMatch(/decoy/);
  });

  it('and stays one through versions, rollback, deletion and restore, until it is purged', async () => {
    const id = await decoy();
    const isDecoy = async () => (await vault.store.get(secretKind, workspaceId, id))?.decoy;
    for (const [method, suffix, json] of [
      ['PATCH', '', { tags: ['live'] }],
      ['PUT', '/value', { value: 'next' }],
      ['POST', '/rollback', { version: 1 }],
      ['DELETE', '', undefined],
      ['POST', '/restore', undefined],
    ] as const) {
      expect((await call(method, `/secrets/${id}${suffix}`, json)).status).toBe(200);
      expect(await isDecoy()).toBe(true);
    }
    const upsert = { format: 'env', namespace: 'prod', content: 'stripe-live=x', onConflict: 'upsert' };
    expect((await call('POST', '/secrets/import', upsert)).status).toBe(200);
    expect(await isDecoy()).toBe(true);
    await call('DELETE', `/secrets/${id}`);
    const purge = await call('DELETE', `/secrets/${id}`, undefined, { query: { purge: 'true' } });
    expect([purge.status, await isDecoy()]).toEqual([204, undefined]);
    expect(await verifyWorkspace(vault, workspaceId)).toMatchObject({ ok: true });
  });
});

describe('planting decoys', () => {
  it.each([
    ['an operator', { role: 'operator' }],
    ['an admin of one namespace', { role: 'admin', namespaces: ['prod'] }],
  ])('is not for %s, nor is knowing which secrets are', async (_, rights) => {
    const answer = await call('POST', '/api-keys', { name: 'k', namespaces: ['*'], ...rights });
    const token = String(bodyOf(answer)['key']);
    const made = await call(
      'POST',
      '/secrets',
      { namespace: 'prod', name: 'x', value: 'v', decoy: true },
      { token },
    );
    expect(problemCode(made)).toBe('forbidden');
    for (const wanted of ['true', 'false']) {
      const list = await call('GET', '/secrets', undefined, { token, query: { decoy: wanted } });
      expect(problemCode(list)).toBe('forbidden');
    }
    const plain = await call(
      'POST',
      '/secrets',
      { namespace: 'prod', name: 'x', value: 'v', decoy: false },
      { token },
    );
    expect(plain.status).toBe(201);
  });

  it('cannot be undone or done later', async () => {
    const id = await make('plain');
    expect(problemCode(await call('PATCH', `/secrets/${id}`, { decoy: true }))).toBe('invalid_request');
  });

  it('is done once for each Idempotency-Key, which is bound to the wish for a decoy', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const input = { namespace: 'prod', name: 'x', value: 'v' };
    const first = await call('POST', '/secrets', { ...input, decoy: true }, { headers });
    const again = await call('POST', '/secrets', { ...input, decoy: true }, { headers });
    expect(bodyOf(again)['id']).toBe(bodyOf(first)['id']);
    const other = await call('POST', '/secrets', input, { headers });
    expect(problemCode(other)).toBe('idempotency_key_reused');
  });

  it('lists them, or the others, for those who may', async () => {
    const id = await decoy();
    await make('plain');
    const listed = async (wanted: string) =>
      (
        bodyOf(await call('GET', '/secrets', undefined, { query: { decoy: wanted, namespace: 'prod' } }))[
          'items'
        ] as { readonly id: string; readonly name: string }[]
      ).map(({ name }) => name);
    expect(await listed('true')).toEqual(['stripe-live']);
    expect(rows().at(-1)).toMatchObject({
      action: 'secret.listed',
      detail: { count: '1', namespace: 'prod', decoy: 'true' },
    });
    expect(await listed('false')).toEqual(['plain']);
    await call('DELETE', `/secrets/${id}`);
    expect(await listed('true')).toEqual([]);
  });
});
