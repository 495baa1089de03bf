import { alertId } from '../../../core/alerts/alert-record.ts';
import { raiseAlert } from '../../../core/alerts/raise-alert.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { addKey, addWorkspace, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import type { World } from '../../support/world.ts';

const MINUTE = 60_000;

let world: World & { readonly vault: MemoryVault };
beforeEach(async () => {
  world = await apiWorld();
});

type Answer = ApiResponse & { readonly body: Record<string, unknown> };
type Extra = Partial<Parameters<typeof callApi>[1]>;

async function call(method: string, path: string, extra: Extra = {}): Promise<Answer> {
  const answer = await callApi(world.vault, { method, path, token: world.ownerToken, ...extra });
  return { ...answer, body: (answer.json ?? {}) as Record<string, unknown> };
}
const lastRow = () => rowsOf(world.vault, world.workspaceId).at(-1);

async function raised(change: Partial<Alert> = {}): Promise<string> {
  const alert: Alert = {
    tier: 'critical',
    kind: 'audit_break',
    workspaceId: world.workspaceId,
    subject: 'row 0-17',
    seen: 'The row 0-17 does not verify.',
    rows: ['0-17'],
    occurrence: '0-17',
    detail: { reason: 'broken_link' },
    ...change,
  };
  await raiseAlert(world.vault, alert, 'verifier');
  return alertId(alert);
}

describe('GET /alerts/{id}', () => {
  it('shows the alert with its facts, and leaves its row', async () => {
    const id = await raised();
    const { status, headers, body } = await call('GET', `/alerts/${id}`);
    expect([status, headers?.['ETag']]).toEqual([200, '"v1"']);
    expect(body).toEqual({
      id,
      kind: 'audit_break',
      tier: 'critical',
      subject: 'row 0-17',
      state: 'open',
      count: 1,
      firstSeenAt: '2026-01-01T00:00:00.000Z',
      openedAt: '2026-01-01T00:00:00.000Z',
      lastSeenAt: '2026-01-01T00:00:00.000Z',
      seen: 'The row 0-17 does not verify.',
      rows: ['0-17'],
      detail: { reason: 'broken_link' },
      revision: 1,
    });
    expect(lastRow()).toMatchObject({ action: 'alert.read', entity: { type: 'alert', id } });
  });
});

describe('GET /alerts', () => {
  const subjects = ({ body }: Answer): string[] =>
    (body['items'] as { readonly subject: string }[]).map(({ subject }) => subject);

  it('has what was last seen first', async () => {
    for (const subject of ['a', 'b', 'c']) {
      await raised({ subject });
      world.vault.clock.advance(MINUTE);
    }
    await raised({ subject: 'a', occurrence: '0-18' });
    expect(subjects(await call('GET', '/alerts'))).toEqual(['a', 'c', 'b']);
    expect(lastRow()).toMatchObject({ action: 'alert.listed', detail: { count: '3' } });
  });

  it('filters by state, tier and kind, in pages that can be followed', async () => {
    for (let index = 0; index < 12; index += 1) {
      const isOdd = index % 2 === 1;
      const id = await raised({
        subject: `s${index}`,
        tier: isOdd ? 'info' : 'critical',
        kind: index % 3 === 0 ? 'log_forked' : 'audit_break',
      });
      if (index >= 8) await call('POST', `/alerts/${id}/close`);
      world.vault.clock.advance(1);
    }
    const all = async (query: { readonly [name: string]: string }): Promise<string[]> => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await call('GET', '/alerts', {
          query: { ...query, limit: '2', ...(cursor === undefined ? {} : { cursor }) },
        });
        found.push(...subjects(page));
        cursor = (page.body['nextCursor'] as string | null) ?? undefined;
      } while (cursor !== undefined);
      return found;
    };
    expect(await all({ state: 'closed' })).toEqual(['s11', 's10', 's9', 's8']);
    expect(await all({ state: 'open', tier: 'info' })).toEqual(['s7', 's5', 's3', 's1']);
    expect(await all({ kind: 'log_forked' })).toEqual(['s9', 's6', 's3', 's0']);
    expect(await all({ kind: 'log_forked', tier: 'critical', state: 'open' })).toEqual(['s6', 's0']);
    expect(await all({ state: 'acknowledged' })).toEqual([]);
  });

  it.each([{ state: 'new' }, { tier: 'fatal' }, { kind: 'x' }, { subject: 'x' }])(
    'refuses %j',
    async (query) => {
      expect(problemCode(await call('GET', '/alerts', { query }))).toBe('invalid_request');
    },
  );
});

describe('acknowledging', () => {
  it('notes who looks into it and what they say, and tells of it with what it is about', async () => {
    const id = await raised();
    world.vault.clock.advance(MINUTE);
    const { status, headers, body } = await call('POST', `/alerts/${id}/acknowledge`, {
      json: { note: 'On it.\nAda' },
    });
    const by = lastRow()?.actor.id;
    expect([status, headers?.['ETag']]).toEqual([200, '"v2"']);
    expect(body).toMatchObject({
      state: 'acknowledged',
      acknowledgedAt: '2026-01-01T00:01:00.000Z',
      acknowledgedBy: by,
      note: 'On it.\nAda',
      lastSeenAt: '2026-01-01T00:00:00.000Z',
    });
    expect(lastRow()).toMatchObject({
      action: 'alert.acknowledged',
      entity: { type: 'alert', id },
      result: 'success',
      detail: {
        kind: 'audit_break',
        tier: 'critical',
        subject: 'row 0-17',
        state: 'acknowledged',
        count: '1',
      },
    });
    expect(JSON.stringify(lastRow()?.detail)).not.toContain('Ada');
  });

  it('what is acknowledged answers with the first one’s name, and tells nobody a second time', async () => {
    const id = await raised();
    const first = await call('POST', `/alerts/${id}/acknowledge`, { json: { note: 'mine' } });
    const { token } = await addKey(world.vault, world.workspaceId, { role: 'admin' });
    for (const json of [{}, { note: 'mine' }]) {
      const second = await call('POST', `/alerts/${id}/acknowledge`, { token, json });
      expect([second.status, second.body]).toEqual([200, first.body]);
      expect(lastRow()).toMatchObject({ action: 'alert.read', detail: { unchanged: 'true' } });
    }
    const third = await call('POST', `/alerts/${id}/acknowledge`, { token, json: { note: 'and mine' } });
    expect(third.body).toMatchObject({ note: 'and mine', acknowledgedBy: lastRow()?.actor.id });
    expect(lastRow()).toMatchObject({ action: 'alert.acknowledged' });
  });

  it('what is closed is refused, and says when it was closed', async () => {
    const id = await raised();
    await call('POST', `/alerts/${id}/close`);
    const { status, text } = await call('POST', `/alerts/${id}/acknowledge`);
    expect(status).toBe(409);
    expect(JSON.parse(text ?? '')).toMatchObject({
      code: 'alert_closed',
      detail: expect.stringContaining('2026-01-01T00:00:00.000Z'),
    });
  });

  it.each([{ note: '' }, { note: 'x'.repeat(501) }, { note: '\ud83d' }, { note: null }, { state: 'closed' }])(
    'refuses %j',
    async (json) => {
      const id = await raised();
      expect(problemCode(await call('POST', `/alerts/${id}/acknowledge`, { json }))).toBe('invalid_request');
    },
  );
});

describe('closing', () => {
  it('needs no acknowledgement before, keeps one, and answers a second time with what is', async () => {
    const open = await raised();
    expect((await call('POST', `/alerts/${open}/close`)).body).toMatchObject({
      state: 'closed',
      closedBy: expect.anything(),
    });
    const id = await raised({ subject: 'row 0-18' });
    await call('POST', `/alerts/${id}/acknowledge`, { json: { note: 'looking' } });
    const closed = await call('POST', `/alerts/${id}/close`);
    expect(closed.body).toMatchObject({
      state: 'closed',
      closedAt: '2026-01-01T00:00:00.000Z',
      acknowledgedBy: expect.anything(),
      note: 'looking',
    });
    expect(lastRow()).toMatchObject({
      action: 'alert.closed',
      detail: { kind: 'audit_break', tier: 'critical', subject: 'row 0-18', state: 'closed' },
    });
    const again = await call('POST', `/alerts/${id}/close`);
    expect([again.status, again.body]).toEqual([200, closed.body]);
  });

  it('ends what was: raised again, it is open since then, at the tier of the new occasion', async () => {
    const id = await raised();
    await call('POST', `/alerts/${id}/close`);
    world.vault.clock.advance(60_000);
    await raised({ tier: 'info', occurrence: '0-30' });
    expect((await call('GET', `/alerts/${id}`)).body).toMatchObject({
      state: 'open',
      tier: 'info',
      firstSeenAt: '2026-01-01T00:00:00.000Z',
      openedAt: '2026-01-01T00:01:00.000Z',
    });
  });

  it('goes on when the alert is raised meanwhile, unless If-Match says what was seen', async () => {
    const id = await raised();
    const meanwhile = (occurrence: string): void => {
      let isFirst = true;
      world.vault.tables.answers = async ({ name }) => {
        if (name !== 'store.get' || !isFirst) return;
        isFirst = false;
        await raised({ occurrence });
      };
    };
    meanwhile('0-18');
    expect((await call('POST', `/alerts/${id}/close`)).body).toMatchObject({ state: 'closed', count: 2 });
    await raised({ occurrence: '0-20' });
    const seen = (await call('GET', `/alerts/${id}`)).headers?.['ETag'] ?? '';
    meanwhile('0-21');
    const refused = await call('POST', `/alerts/${id}/close`, { headers: { 'If-Match': seen } });
    expect(problemCode(refused)).toBe('precondition_failed');
    expect((await call('GET', `/alerts/${id}`)).body).toMatchObject({ state: 'open' });
  });
});

describe('another workspace', () => {
  it.each([
    ['GET', ''],
    ['POST', '/acknowledge'],
    ['POST', '/close'],
  ])('%s …%s is answered as if there were no such alert', async (method, suffix) => {
    const id = await raised();
    const { token } = await addKey(world.vault, await addWorkspace(world.vault), { role: 'owner' });
    const answers = await Promise.all(
      [id, `al_${'0'.repeat(32)}`, 'al_1', 'x'].map((one) =>
        call(method, `/alerts/${one}${suffix}`, { token }),
      ),
    );
    expect(answers.map(problemCode)).toEqual(Array(4).fill('not_found'));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await call('GET', '/alerts', { token })).body['items']).toEqual([]);
  });
});
