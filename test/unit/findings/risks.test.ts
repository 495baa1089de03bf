import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { addKey, addWorkspace, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { freshName, type World } from '../../support/world.ts';

let world: World & { readonly vault: MemoryVault };
beforeEach(async () => {
  world = await apiWorld();
});

type Answer = ApiResponse & { readonly body: Record<string, unknown> };
type Extra = Partial<Parameters<typeof callApi>[1]>;

async function call(method: string, path: string, json?: object, extra: Extra = {}): Promise<Answer> {
  const token = world.ownerToken;
  const answer = await callApi(world.vault, { method, path, token, ...(json && { json }), ...extra });
  return { ...answer, body: (answer.json ?? {}) as Record<string, unknown> };
}
const lastRow = () => rowsOf(world.vault, world.workspaceId).at(-1);
const RISK = { title: 'The region is down', likelihood: 2, impact: 4, treatment: 'transfer' };
const recorded = async (more: object = {}): Promise<string> =>
  String((await call('POST', '/risks', { ...RISK, ...more })).body['id']);
const faults = ({ text }: Answer): string[] =>
  (JSON.parse(text ?? '{}') as { errors: { path: string }[] }).errors.map(({ path }) => path);

describe('POST /risks', () => {
  it('records a risk whose score is likelihood times impact, with the findings that bear on it', async () => {
    const finding = String((await call('POST', '/findings', { title: 'x', severity: 'low' })).body['id']);
    const { status, headers, body } = await call('POST', '/risks', {
      ...RISK,
      reviewDate: '2026-06-30',
      findings: [finding],
    });
    expect([status, headers?.['ETag']]).toEqual([201, '"v1"']);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^rsk_[0-9a-f]{32}$/),
      score: 8,
      state: 'open',
      reviewDate: '2026-06-30',
      findings: [finding],
      description: '',
    });
    expect(lastRow()).toMatchObject({
      action: 'risk.recorded',
      entity: { type: 'risk', id: body['id'] },
      detail: { likelihood: '2', impact: '4', treatment: 'transfer' },
    });
  });

  it('repeated with its Idempotency-Key records no second one', async () => {
    const headers = { 'Idempotency-Key': freshName() };
    const first = await call('POST', '/risks', RISK, { headers });
    expect((await call('POST', '/risks', RISK, { headers })).body).toEqual(first.body);
    expect((await call('GET', '/risks')).body['items']).toEqual([first.body]);
  });

  it.each([
    [{ likelihood: 0 }, 'likelihood'],
    [{ impact: 6 }, 'impact'],
    [{ impact: 1.5 }, 'impact'],
    [{ treatment: 'ignore' }, 'treatment'],
    [{ owner: 'nobody' }, 'owner'],
    [{ findings: [`fnd_${'0'.repeat(32)}`] }, 'findings.0'],
    [{ findings: ['fnd_1'] }, 'findings.0'],
    [
      { findings: Array.from({ length: 21 }, (_, index) => `fnd_${String(index).padStart(32, '0')}`) },
      'findings',
    ],
    [{ findings: Array(2).fill(`fnd_${'0'.repeat(32)}`) }, 'findings'],
  ])('refuses %j', async (fault, path) => {
    const refused = await call('POST', '/risks', { ...RISK, ...fault });
    expect([refused.status, faults(refused)]).toEqual([400, [path]]);
  });

  it('refuses a finding of another workspace', async () => {
    const { token } = await addKey(world.vault, await addWorkspace(world.vault), { role: 'owner' });
    const foreign = await call('POST', '/findings', { title: 'x', severity: 'low' }, { token });
    const refused = await call('POST', '/risks', { ...RISK, findings: [foreign.body['id']] });
    expect(faults(refused)).toEqual(['findings.0']);
  });
});

it('GET /risks filters by state and treatment', async () => {
  await recorded({ title: 'a' });
  world.vault.clock.advance(1);
  const b = await recorded({ title: 'b', treatment: 'avoid' });
  await call('PATCH', `/risks/${b}`, { state: 'closed' });
  const titles = async (query: { readonly [name: string]: string }) =>
    ((await call('GET', '/risks', undefined, { query })).body['items'] as { title: string }[]).map(
      ({ title }) => title,
    );
  expect(await titles({})).toEqual(['a', 'b']);
  expect(await titles({ state: 'open' })).toEqual(['a']);
  expect(await titles({ treatment: 'avoid' })).toEqual(['b']);
  expect(lastRow()).toMatchObject({ action: 'risk.listed', detail: { count: '1' } });
});

describe('PATCH /risks/{id}', () => {
  it('judges it anew, and tells what it was and is', async () => {
    const id = await recorded({ reviewDate: '2026-06-30' });
    const { body } = await call('PATCH', `/risks/${id}`, { likelihood: 5, title: 'y', reviewDate: null });
    expect(body).toMatchObject({ likelihood: 5, score: 20, title: 'y', revision: 2 });
    expect(body).not.toHaveProperty('reviewDate');
    expect(lastRow()).toMatchObject({
      action: 'risk.updated',
      detail: {
        fields: 'likelihood reviewDate title',
        likelihood: '2 -> 5',
        reviewDate: '2026-06-30 -> none',
      },
    });
  });

  it('that changes nothing leaves a row that it was read; a stale one is refused', async () => {
    const id = await recorded();
    expect((await call('PATCH', `/risks/${id}`, { likelihood: 2 })).body).toMatchObject({ revision: 1 });
    expect(lastRow()).toMatchObject({ action: 'risk.read', detail: { unchanged: 'true' } });
    await call('PATCH', `/risks/${id}`, { state: 'closed' });
    const stale = await call('PATCH', `/risks/${id}`, { likelihood: 1 }, { headers: { 'If-Match': '"v1"' } });
    expect(problemCode(stale)).toBe('precondition_failed');
  });

  it('refuses owners who are no members, and findings that are not there', async () => {
    const id = await recorded();
    expect(faults(await call('PATCH', `/risks/${id}`, { owner: 'x' }))).toEqual(['owner']);
    expect(faults(await call('PATCH', `/risks/${id}`, { findings: ['x'] }))).toEqual(['findings.0']);
  });
});

it('another workspace’s risks are answered as if there were none', async () => {
  const id = await recorded();
  const { token } = await addKey(world.vault, await addWorkspace(world.vault), { role: 'owner' });
  for (const one of [id, `rsk_${'0'.repeat(32)}`, 'rsk_1']) {
    expect(problemCode(await call('GET', `/risks/${one}`, undefined, { token }))).toBe('not_found');
    expect(problemCode(await call('PATCH', `/risks/${one}`, { impact: 1 }, { token }))).toBe('not_found');
  }
});
