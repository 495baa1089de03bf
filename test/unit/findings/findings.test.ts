import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { addKey, addWorkspace, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { freshName, type World } from '../../support/world.ts';

const DAY = 24 * 60 * 60_000;
/** The clock begins at 2026-01-01. */
const TODAY = '2026-01-01';

let world: World & { readonly vault: MemoryVault };
beforeEach(async () => {
  world = await apiWorld();
});
afterEach(async () => {
  expect(await brokenWorkspaces(world.vault)).toEqual({});
});

type Answer = ApiResponse & { readonly body: Record<string, unknown> };
type Extra = Partial<Parameters<typeof callApi>[1]>;

async function call(method: string, path: string, json?: object, extra: Extra = {}): Promise<Answer> {
  const token = world.ownerToken;
  const answer = await callApi(world.vault, { method, path, token, ...(json && { json }), ...extra });
  return { ...answer, body: (answer.json ?? {}) as Record<string, unknown> };
}
const lastRow = () => rowsOf(world.vault, world.workspaceId).at(-1);
const NEW = { title: 'A key lies in the wiki', severity: 'high' };
const opened = async (more: object = {}): Promise<string> =>
  String((await call('POST', '/findings', { ...NEW, ...more })).body['id']);
const patch = (id: string, json: object, extra?: Extra) => call('PATCH', `/findings/${id}`, json, extra);
const faults = ({ text }: Answer): string[] =>
  (JSON.parse(text ?? '{}') as { errors: { path: string }[] }).errors.map(({ path }) => path);

describe('POST /findings', () => {
  it('makes an open one with an owner and a due date, and its row says so without its text', async () => {
    const member = await addPerson(world.vault, world.workspaceId, {
      email: 'ada@example.com',
      role: 'viewer',
    });
    const { status, headers, body } = await call('POST', '/findings', {
      ...NEW,
      description: 'See the page "Deployment".',
      owner: member.id,
      dueDate: '2026-01-31',
    });
    const by = lastRow()?.actor.id;
    expect([status, headers?.['ETag']]).toEqual([201, '"v1"']);
    expect(body).toEqual({
      id: expect.stringMatching(/^fnd_[0-9a-f]{32}$/),
      ...NEW,
      description: 'See the page "Deployment".',
      owner: member.id,
      dueDate: '2026-01-31',
      overdue: false,
      state: 'open',
      source: 'manual',
      createdAt: '2026-01-01T00:00:00.000Z',
      createdBy: by,
      updatedAt: '2026-01-01T00:00:00.000Z',
      updatedBy: by,
      revision: 1,
    });
    expect(lastRow()).toMatchObject({
      action: 'finding.opened',
      entity: { type: 'finding', id: body['id'] },
      detail: { severity: 'high', source: 'manual', owner: member.id, dueDate: '2026-01-31' },
    });
    expect(JSON.stringify(lastRow()?.detail)).not.toContain('wiki');
  });

  it('repeated with its Idempotency-Key makes no second one', async () => {
    const headers = { 'Idempotency-Key': freshName() };
    const [first, second] = [
      await call('POST', '/findings', NEW, { headers }),
      await call('POST', '/findings', NEW, { headers }),
    ];
    expect([second.status, second.body]).toEqual([201, first.body]);
    expect((await call('GET', '/findings')).body['items']).toHaveLength(1);
  });

  it.each([
    [{ title: '' }, 'title'],
    [{ title: 'a\nb' }, 'title'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ severity: 'fatal' }, 'severity'],
    [{ dueDate: '2026-02-30' }, 'dueDate'],
    [{ dueDate: '2026-01-31T00:00:00Z' }, 'dueDate'],
    [{ owner: 'nobody' }, 'owner'],
    [{ description: 'x'.repeat(2_001) }, 'description'],
  ])('refuses %j', async (fault, path) => {
    const refused = await call('POST', '/findings', { ...NEW, ...fault });
    expect([refused.status, faults(refused)]).toEqual([400, [path]]);
  });
});

describe('GET /findings', () => {
  it('filters by state, severity, owner and what is overdue, in pages that can be followed', async () => {
    const { id: owner } = await addPerson(world.vault, world.workspaceId, {
      email: 'ada@example.com',
      role: 'viewer',
    });
    for (let index = 0; index < 8; index += 1) {
      const id = await opened({
        title: `f${index}`,
        severity: index % 2 === 0 ? 'low' : 'critical',
        dueDate: index < 4 ? TODAY : '2026-01-02',
        ...(index === 3 ? { owner } : {}),
      });
      if (index % 4 === 0) await patch(id, { state: 'closed', reason: 'done' });
      world.vault.clock.advance(1);
    }
    const titles = async (query: { readonly [name: string]: string }): Promise<unknown[]> => {
      const found: unknown[] = [];
      let cursor: string | undefined;
      do {
        const extra = { query: { ...query, limit: '2', ...(cursor === undefined ? {} : { cursor }) } };
        const { body } = await call('GET', '/findings', undefined, extra);
        found.push(...(body['items'] as { readonly title: string }[]).map(({ title }) => title));
        cursor = (body['nextCursor'] as string | null) ?? undefined;
      } while (cursor !== undefined);
      return found;
    };
    world.vault.clock.advance(DAY);
    expect(await titles({})).toEqual(['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7']);
    expect(await titles({ state: 'closed' })).toEqual(['f0', 'f4']);
    expect(await titles({ state: 'open', severity: 'low' })).toEqual(['f2', 'f6']);
    expect(await titles({ owner })).toEqual(['f3']);
    // Due on the day before; what is closed has no due date any more.
    expect(await titles({ overdue: 'true' })).toEqual(['f1', 'f2', 'f3']);
    expect(await titles({ overdue: 'false' })).toEqual(['f0', 'f4', 'f5', 'f6', 'f7']);
    expect(lastRow()).toMatchObject({ action: 'finding.listed', detail: { count: '1' } });
  });
});

describe('PATCH /findings/{id}', () => {
  it('tells the fields, and what the short ones were and are', async () => {
    const id = await opened({ description: 'secretive text' });
    const { headers, body } = await patch(id, {
      title: 'A key lies in two wikis',
      severity: 'critical',
      state: 'in_progress',
      dueDate: '2026-01-09',
    });
    expect(headers?.['ETag']).toBe('"v2"');
    expect(body).toMatchObject({ severity: 'critical', state: 'in_progress', dueDate: '2026-01-09' });
    expect(lastRow()).toMatchObject({
      action: 'finding.updated',
      detail: {
        fields: 'state severity dueDate title',
        state: 'open -> in_progress',
        severity: 'high -> critical',
        dueDate: 'none -> 2026-01-09',
      },
    });
    expect((await patch(id, { dueDate: null })).body).not.toHaveProperty('dueDate');
  });

  it('closes with a reason, and a closed one can only be opened again', async () => {
    const id = await opened();
    expect(faults(await patch(id, { state: 'closed' }))).toEqual(['reason']);
    const closed = await patch(id, { state: 'closed', reason: 'It is gone.' });
    expect(closed.body).toMatchObject({
      state: 'closed',
      reason: 'It is gone.',
      closedAt: '2026-01-01T00:00:00.000Z',
    });
    expect(lastRow()).toMatchObject({
      action: 'finding.closed',
      detail: { fields: 'state reason', state: 'open -> closed' },
    });
    const refusals = [{ severity: 'low' }, { state: 'in_progress' }, { reason: 'another' }];
    for (const json of refusals) expect(problemCode(await patch(id, json))).toBe('finding_closed');
    const accepted = { state: 'accepted', reason: 'x', dueDate: TODAY };
    expect(problemCode(await patch(id, accepted))).toBe('finding_closed');
    const again = await patch(id, { state: 'open', severity: 'low' });
    expect(again.body).toMatchObject({ state: 'open', severity: 'low' });
    expect(again.body).not.toHaveProperty('reason');
    expect(again.body).not.toHaveProperty('closedAt');
    expect(lastRow()).toMatchObject({ action: 'finding.opened', detail: { state: 'closed -> open' } });
  });

  it('accepts with a reason until a day that is not over', async () => {
    const id = await opened();
    const accept = (dueDate?: string) =>
      patch(id, { state: 'accepted', reason: 'We move out in spring.', ...(dueDate && { dueDate }) });
    expect(faults(await accept())).toEqual(['dueDate']);
    expect(faults(await accept('2025-12-31'))).toEqual(['dueDate']);
    expect((await accept(TODAY)).body).toMatchObject({ state: 'accepted', overdue: false });
    expect(faults(await patch(id, { dueDate: null }))).toEqual(['dueDate']);
    expect((await patch(id, { reason: 'Later.' })).body).toMatchObject({ reason: 'Later.' });
    world.vault.clock.advance(DAY);
    expect((await call('GET', `/findings/${id}`)).body).toMatchObject({ state: 'accepted', overdue: true });
    // What is no question any more needs no new date.
    expect((await patch(id, { severity: 'low' })).status).toBe(200);
    expect((await patch(id, { state: 'open' })).body).not.toHaveProperty('reason');
    expect(faults(await patch(id, { reason: 'why?' }))).toEqual(['reason']);
  });

  it('that changes nothing answers with what is, and leaves a row that it was read', async () => {
    const id = await opened();
    const close = { state: 'closed', reason: 'done' };
    const first = await patch(id, close);
    const second = await patch(id, close);
    expect([second.status, second.body]).toEqual([200, first.body]);
    expect(lastRow()).toMatchObject({ action: 'finding.read', detail: { unchanged: 'true' } });
  });

  it('goes on when the finding changes meanwhile, unless If-Match says what was seen', async () => {
    const id = await opened();
    let isFirst = true;
    const meanwhile = (json: object): void => {
      isFirst = true;
      world.vault.tables.answers = async ({ name }) => {
        if (name !== 'store.get' || !isFirst) return;
        isFirst = false;
        await patch(id, json);
      };
    };
    meanwhile({ severity: 'low' });
    expect((await patch(id, { state: 'in_progress' })).body).toMatchObject({
      severity: 'low',
      state: 'in_progress',
    });
    meanwhile({ severity: 'medium' });
    const refused = await patch(id, { state: 'open' }, { headers: { 'If-Match': '"v3"' } });
    expect(problemCode(refused)).toBe('precondition_failed');
    expect((await call('GET', `/findings/${id}`)).body).toMatchObject({ state: 'in_progress' });
  });

  it.each([{}, { state: 'done' }, { source: 'posture' }, { title: null }, { reason: '' }])(
    'refuses %j',
    async (json) => {
      expect(problemCode(await patch(await opened(), json))).toBe('invalid_request');
    },
  );
});

it('another workspace’s findings are answered as if there were none', async () => {
  const id = await opened();
  const { token } = await addKey(world.vault, await addWorkspace(world.vault), { role: 'owner' });
  for (const one of [id, `fnd_${'0'.repeat(32)}`, 'fnd_1']) {
    expect(problemCode(await call('GET', `/findings/${one}`, undefined, { token }))).toBe('not_found');
    expect(problemCode(await patch(one, { severity: 'low' }, { token }))).toBe('not_found');
  }
  expect((await call('GET', '/findings', undefined, { token })).body['items']).toEqual([]);
});
