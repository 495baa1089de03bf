import type { RequestContext } from '../../../core/access/principal.ts';
import { laneRange } from '../../../core/audit/date-range.ts';
import { eventId } from '../../../core/audit/event.ts';
import { exportEvents } from '../../../core/audit/export-events.ts';
import { strangerOrigin } from '../../../core/audit/lane-start.ts';
import { type EventPosition, listEvents } from '../../../core/audit/list-events.ts';
import { mergedRows } from '../../../core/audit/merged-rows.ts';
import { listNamespaces } from '../../../core/namespaces/list-namespaces.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { callerWith, installedVault, type MemoryVault } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const SECOND = 1_000;

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;

/** Lane 0: rows 1 to 3 at the start; 4 to 13, two at each of seconds 1 to 5. Lane 1: one at each of seconds 1 to 5. */
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  vault.tables.rowsPerRead = 3;
  for (let second = 1; second <= 5; second += 1) {
    vault.clock.advance(SECOND);
    await vault.trail.commit(strangerOrigin(workspaceId, '198.51.100.1', 'curl'), [
      { action: 'authentication.failed', entity: { type: 'workspace', id: workspaceId }, result: 'denied' },
    ]);
    for (let count = 0; count < 2; count += 1) await listNamespaces(vault, owner, { limit: 1 });
  }
  vault.clock.advance(SECOND);
});

const at = (seconds: number): number => START + seconds * SECOND;
const ids = (items: readonly { stored: { lane: number; seq: number } }[]): string[] =>
  items.map(({ stored }) => eventId(stored));

describe('the rows of a lane within a span of time', () => {
  it.each([
    ['no ends', {}, 1, 13],
    ['its start included', { from: at(2) }, 6, 13],
    ['its end excluded', { to: at(2) }, 1, 5],
    ['one millisecond past a row', { from: at(2) + 1 }, 8, 13],
    ['all before the first row', { to: at(0) }, 1, 0],
    ['all after the last row', { from: at(6) }, 14, 13],
  ])('with %s', async (_, range, first, last) => {
    expect(await laneRange(vault.ledger, { workspaceId, lane: 0 }, range)).toEqual({
      workspaceId,
      lane: 0,
      first,
      last,
    });
  });

  it('are found by few reads', async () => {
    for (let count = 0; count < 500; count += 1) await listNamespaces(vault, owner, { limit: 1 });
    let reads = 0;
    vault.tables.faults = async () => {
      reads += 1;
      return 'none';
    };
    await laneRange(vault.ledger, { workspaceId, lane: 0 }, { from: at(3) });
    expect(reads).toBeLessThanOrEqual(11);
  });

  it('of a lane that is empty are none', async () => {
    expect(
      await laneRange(vault.ledger, { workspaceId: 'ws_none', lane: 0 }, { from: 0, to: 1 }),
    ).toMatchObject({
      first: 1,
      last: 0,
    });
  });
});

it('rows of two lanes merge by time, lane and number, both ways alike', async () => {
  const lanes = [0, 1].map((lane) => ({ workspaceId, lane, first: 1, last: 100 }));
  const collect = async (order: 'rising' | 'falling'): Promise<string[]> => {
    const found: string[] = [];
    for await (const { stored } of mergedRows(vault.ledger, lanes, order)) found.push(eventId(stored));
    return found;
  };
  const rising = await collect('rising');
  expect(rising.slice(0, 9)).toEqual(['0-1', '0-2', '0-3', '0-4', '0-5', '1-1', '0-6', '0-7', '1-2']);
  expect(rising).toHaveLength(18);
  expect(await collect('falling')).toEqual(rising.toReversed());
});

describe('a list of events', () => {
  /** All pages one after the other, as a client follows its cursors; the lists' own rows come meanwhile. */
  async function allPages(filter: Parameters<typeof listEvents>[2], limit: number): Promise<string[]> {
    const found: string[] = [];
    let after: EventPosition | undefined;
    do {
      const page = await listEvents(vault, owner, filter, {
        limit,
        ...(after === undefined ? {} : { after }),
      });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      found.push(...ids(page.items));
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  it('starts with the newest and does not contain itself', async () => {
    const { items } = await listEvents(vault, owner, {}, { limit: 3 });
    expect(ids(items)).toEqual(['1-5', '0-13', '0-12']);
    expect(ids((await listEvents(vault, owner, {}, { limit: 1 })).items)).toEqual(['0-14']);
  });

  it.each([1, 2, 3, 7, 18, 100])('by pages of %i has each row once', async (limit) => {
    const whole = await allPages({}, limit);
    expect(new Set(whole).size).toBe(whole.length);
    expect(whole).toHaveLength(18);
  });

  it('by actor, action and entity finds sparse matches across pages', async () => {
    const { id } = await createSecret(vault, owner, { namespace: 'n', name: 's', value: 'v' });
    expect(await allPages({ entityId: id }, 1)).toEqual(['0-15']);
    expect(await allPages({ action: 'authentication.failed' }, 2)).toEqual([
      '1-5',
      '1-4',
      '1-3',
      '1-2',
      '1-1',
    ]);
    expect(await allPages({ actorId: 'setup' }, 2)).toEqual(['0-3', '0-2', '0-1']);
    expect(await allPages({ action: 'authentication.failed', actorId: 'setup' }, 2)).toEqual([]);
  });

  it('within a span of time', async () => {
    expect(await allPages({ from: at(2), to: at(3) }, 2)).toEqual(['1-2', '0-7', '0-6']);
  });

  it('looks at no more than 2,000 rows and goes on from there', async () => {
    for (let count = 0; count < 20; count += 1) {
      await vault.trail.commit(
        { workspaceId, lane: 0, actor: { type: 'system', id: 'test' }, ip: '-', userAgent: '' },
        Array.from({ length: 100 }, () => ({
          action: 'secret.listed' as const,
          entity: { type: 'workspace', id: workspaceId },
          result: 'success' as const,
        })),
      );
    }
    vault.tables.rowsPerRead = 1_000;
    const first = await listEvents(vault, owner, { actorId: 'setup' }, { limit: 10 });
    expect(first.items).toEqual([]);
    expect(first.next).toEqual({ 0: 13, 1: 5 });
    const second = await listEvents(
      vault,
      owner,
      { actorId: 'setup' },
      { limit: 10, after: first.next ?? {} },
    );
    expect(ids(second.items)).toEqual(['0-3', '0-2', '0-1']);
    expect(second).not.toHaveProperty('next');
  });

  it('leaves out a row that somebody spoiled, and goes on', async () => {
    new Tamperer(vault.tables).putRow({
      ...new Tamperer(vault.tables).row({ workspaceId, lane: 0 }, 12),
      bytes: Buffer.from('?'),
    });
    expect((await allPages({}, 5)).filter((id) => id === '0-12')).toEqual([]);
  });

  it('is recorded with its count', async () => {
    await listEvents(vault, owner, { actorId: 'setup' }, { limit: 10 });
    const { items } = await listEvents(vault, owner, {}, { limit: 1 });
    expect(items[0]?.content).toMatchObject({ action: 'audit.listed', detail: { count: '3' } });
  });

  it.each(['viewer', 'operator'] as const)(
    'is not for a %s, nor for one limited to a namespace',
    async (role) => {
      const forbidden = { code: 'forbidden' };
      await expect(
        listEvents(vault, callerWith({ workspaceId, role }), {}, { limit: 1 }),
      ).rejects.toMatchObject(forbidden);
      const limited = callerWith({ workspaceId, role: 'admin', namespaces: ['prod'] });
      await expect(listEvents(vault, limited, {}, { limit: 1 })).rejects.toMatchObject(forbidden);
      await expect(exportEvents(vault, limited, {})).rejects.toMatchObject(forbidden);
    },
  );
});

describe('an export of events', () => {
  it('is oldest first, within the span, and does not contain itself', async () => {
    const { items, next } = await exportEvents(vault, owner, { from: at(2), to: at(4) });
    expect(ids(items)).toEqual(['0-6', '0-7', '1-2', '0-8', '0-9', '1-3']);
    expect(next).toBeUndefined();
    expect(ids((await exportEvents(vault, owner, { from: at(5) })).items)).toEqual([
      '0-12',
      '0-13',
      '1-5',
      '0-14',
    ]);
  });

  it('goes on from a position, lane by lane', async () => {
    const { items } = await exportEvents(vault, owner, { to: at(6) }, { 0: 12, 1: 5 });
    expect(ids(items)).toEqual(['0-12', '0-13', '1-5']);
  });

  it('is recorded with its span', async () => {
    await exportEvents(vault, owner, { from: at(2), to: at(4) });
    const { items } = await listEvents(vault, owner, {}, { limit: 1 });
    expect(items[0]?.content).toMatchObject({
      action: 'audit.exported',
      detail: { from: '2026-01-01T00:00:02.000Z', to: '2026-01-01T00:00:04.000Z' },
    });
  });

  it('holds 10,000 rows and then a position to go on from', async () => {
    vault.tables.rowsPerRead = 20_000;
    for (let count = 0; count < 101; count += 1) {
      await vault.trail.commit(
        { workspaceId: 'ws_big', lane: 0, actor: { type: 'system', id: 'test' }, ip: '-', userAgent: '' },
        Array.from({ length: 100 }, () => ({
          action: 'secret.listed' as const,
          entity: { type: 'workspace', id: 'ws_big' },
          result: 'success' as const,
        })),
      );
    }
    const big = callerWith({ workspaceId: 'ws_big', role: 'owner' });
    const first = await exportEvents(vault, big, {});
    expect([first.items.length, first.next]).toEqual([10_000, { 0: 10_001 }]);
    const rest = await exportEvents(vault, big, {}, first.next);
    expect(ids(rest.items).slice(0, 1)).toEqual(['0-10001']);
    // The hundred that were left, and the row of the first export.
    expect(rest.items).toHaveLength(101);
  });
});
