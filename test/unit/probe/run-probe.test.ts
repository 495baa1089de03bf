import type { Alert } from '../../../core/detection/alert.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { CANARY_WORKSPACE } from '../../../core/probe/canary.ts';
import type { ProbeAnswer, ProbeClient, ProbeRequest } from '../../../core/probe/probe-client.ts';
import { type ProbeParts, runProbe } from '../../../core/probe/run-probe.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { callApi } from '../../support/call-api.ts';
import { installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

const MINUTE = 60_000;
const SECOND = 1_000;

let vault: MemoryVault;
let alerts: Alert[];
let requests: ProbeRequest[];
let parts: ProbeParts;
/** What becomes of a request, if not what the API answers. */
let interfere: (request: ProbeRequest) => Promise<ProbeAnswer | undefined>;

beforeEach(async () => {
  ({ vault } = await installedVault());
  alerts = [];
  requests = [];
  interfere = async () => undefined;
  parts = { ...vault, client, alerts: { raise: async (alert) => void alerts.push(alert) } };
});

/** Each request takes a second. */
const client: ProbeClient = {
  async send(request) {
    requests.push(request);
    vault.clock.advance(SECOND);
    const { path, token, ...rest } = request;
    const [place = '', query] = path.split('?');
    const answer = await interfere(request);
    if (answer !== undefined) return answer;
    const { status, text, json } = await callApi(vault, {
      ...rest,
      path: place,
      ...(token === undefined ? {} : { token }),
      ...(query === undefined ? {} : { query: Object.fromEntries(new URLSearchParams(query)) }),
    });
    return { status, json: json ?? (text === undefined ? undefined : JSON.parse(text)) };
  },
};

const canaryEntities = (kind: string) =>
  [...vault.tables.entities.values()].filter(
    ({ entity }) => entity.workspaceId === CANARY_WORKSPACE && entity.kind === kind,
  );
const lastEvent = () =>
  rowsOf(vault, PLATFORM_WORKSPACE).findLast(({ action }) => action === 'probe.completed');

describe('a run on a vault that is well', () => {
  it('takes every step, tells how long each took, and leaves nothing but rows', async () => {
    const outcome = await runProbe(parts);
    const steps = { health: 1_000, create: 1_000, reveal: 1_000, delete: 1_000, purge: 1_000, verify: 1_000 };
    expect(outcome).toEqual({ steps });
    expect(alerts).toEqual([]);
    expect(lastEvent()).toMatchObject({
      result: 'success',
      detail: { healthMs: '1000', createMs: '1000', revealMs: '1000', purgeMs: '1000', verifyMs: '1000' },
    });
    for (const kind of ['secret', 'secretVersion', 'secretName', 'apiKey'])
      expect(canaryEntities(kind)).toEqual([]);
    const actions = rowsOf(vault, CANARY_WORKSPACE).map(({ action }) => action);
    expect(actions).toEqual([
      'workspace.created',
      'lane.opened',
      'api_key.created',
      'namespace.created',
      'secret.created',
      'secret.revealed',
      'secret.deleted',
      'secret.purge_started',
      'secret.purged',
      'audit.verified',
      'api_key.revoked',
    ]);
  });

  it('works again and again in the same workspace', async () => {
    await runProbe(parts);
    vault.clock.advance(15 * MINUTE);
    expect((await runProbe(parts)).failure).toBeUndefined();
    expect(await vault.store.get(workspaceKind, CANARY_WORKSPACE, CANARY_WORKSPACE)).toMatchObject({
      revision: 1,
      owners: [],
    });
  });

  it('can run twice at once', async () => {
    const outcomes = await Promise.all([runProbe(parts), runProbe(parts)]);
    expect(outcomes.map(({ failure }) => failure)).toEqual([undefined, undefined]);
    expect(canaryEntities('apiKey')).toEqual([]);
  });

  it('ends its key: the token is refused afterwards', async () => {
    await runProbe(parts);
    const token = requests.at(-1)?.token ?? '';
    expect((await callApi(vault, { method: 'GET', path: '/secrets', token })).status).toBe(401);
  });

  it('writes neither token nor value down', async () => {
    await runProbe(parts);
    const { token = '', json } = requests[1] ?? {};
    const { value } = json as { readonly value: string };
    const kept = JSON.stringify([...vault.tables.entities.values()]) + JSON.stringify(alerts);
    const rows = [...vault.tables.rows.values()].map(({ bytes }) => Buffer.from(bytes).toString()).join();
    for (const secret of [token, value]) {
      expect(secret).toMatch(/^[A-Za-z0-9_-]{43,46}$/);
      expect(kept + rows).not.toContain(secret);
    }
  });
});

it('an API that answers, but takes a minute for it all, is told before the function ends', async () => {
  interfere = async () => {
    vault.clock.advance(14 * SECOND);
    return undefined;
  };
  const { failure } = await runProbe(parts);
  expect(failure).toEqual({ step: 'purge', reason: 'too_slow' });
  expect(alerts).toMatchObject([{ kind: 'probe_failed', subject: 'purge' }]);
  expect(canaryEntities('apiKey')).toEqual([]);
});

describe('a step that fails', () => {
  const isStep = (request: ProbeRequest, step: string): boolean =>
    ({
      health: request.path === '/health',
      create: request.method === 'POST' && request.path === '/secrets',
      reveal: request.path.endsWith('/reveal'),
      delete: request.method === 'DELETE' && !request.path.includes('?'),
      purge: request.path.endsWith('?purge=true'),
      verify: request.path === '/audit/verify',
    })[step] ?? false;

  it.each([
    ['health', { status: 503, json: undefined }, 'status_503'],
    ['create', { status: 200, json: {} }, 'status_200'],
    ['create', { status: 201, json: { id: '../health' } }, 'unexpected_answer'],
    ['reveal', { status: 200, json: { value: 'x'.repeat(43) } }, 'other_value'],
    ['reveal', { status: 200, json: { value: '' } }, 'other_value'],
    ['reveal', { status: 200, json: undefined }, 'unexpected_answer'],
    ['delete', { status: 500, json: undefined }, 'status_500'],
    ['purge', { status: 409, json: undefined }, 'status_409'],
    ['verify', { status: 200, json: { ok: false } }, 'trail_broken'],
  ])('%s with %j is told as %s', async (step, answer, reason) => {
    interfere = async (request) => (isStep(request, step) ? answer : undefined);
    expect((await runProbe(parts)).failure).toEqual({ step, reason });
    expect(alerts).toMatchObject([
      { tier: 'critical', kind: 'probe_failed', workspaceId: PLATFORM_WORKSPACE, subject: step },
    ]);
    expect(lastEvent()).toMatchObject({ result: 'failure', detail: { step, reason } });
    expect(canaryEntities('apiKey')).toEqual([]);
  });

  it('because nobody answers is told', async () => {
    interfere = async () => {
      throw unavailable('The API does not answer.');
    };
    expect((await runProbe(parts)).failure).toEqual({ step: 'health', reason: 'unavailable' });
  });

  it('because the trail does not verify is told', async () => {
    await runProbe(parts);
    new Tamperer(vault.tables).removeRow({ workspaceId: CANARY_WORKSPACE, lane: 0 }, 5);
    expect((await runProbe(parts)).failure).toEqual({ step: 'verify', reason: 'trail_broken' });
  });

  it('before the first request, because the store is away, is told', async () => {
    vault.tables.faults = async ({ name }) => (name === 'store.get' ? 'before' : 'none');
    expect((await runProbe(parts)).failure).toEqual({ step: 'prepare', reason: 'unavailable' });
    expect(requests).toEqual([]);
  });

  it('leaves a secret that the next run clears away, once no run can be at work on it', async () => {
    interfere = async (request) => (isStep(request, 'reveal') ? { status: 500, json: undefined } : undefined);
    await runProbe(parts);
    interfere = async () => undefined;
    expect(canaryEntities('secret')).toHaveLength(1);
    await runProbe(parts);
    expect(canaryEntities('secret')).toHaveLength(1);
    vault.clock.advance(15 * MINUTE);
    await runProbe(parts);
    for (const kind of ['secret', 'secretVersion', 'secretName']) expect(canaryEntities(kind)).toEqual([]);
  });

  it('leaves a key that ends by itself when its end cannot be written, and the next run removes it', async () => {
    interfere = async (request) => {
      if (isStep(request, 'verify')) {
        vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
      }
      return undefined;
    };
    await expect(runProbe(parts)).rejects.toMatchObject({ code: 'unavailable' });
    vault.tables.faults = async () => 'none';
    interfere = async () => undefined;
    expect(canaryEntities('apiKey')).toHaveLength(1);
    vault.clock.advance(15 * MINUTE);
    const token = requests.at(-1)?.token ?? '';
    expect((await callApi(vault, { method: 'GET', path: '/secrets', token })).status).toBe(401);
    await runProbe(parts);
    expect(canaryEntities('apiKey')).toEqual([]);
  });
});
