import { originOf, type RequestContext } from '../../../core/access/principal.ts';
import { eventId } from '../../../core/audit/event.ts';
import { exportEvents } from '../../../core/audit/export-events.ts';
import { laneSetKind } from '../../../core/audit/lane-set.ts';
import {
  type EventFilter,
  type EventPage,
  type EventPosition,
  listEvents,
} from '../../../core/audit/list-events.ts';
import type { ReadableRow } from '../../../core/audit/merged-rows.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import { verifyRange } from '../../../core/audit/verify-range.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { callerWith, installedVault, type MemoryVault } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

const EXTRA = [2, 3, 4];
const SECOND = 1_000;

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let tamperer: Tamperer;
let start: number;

beforeEach(async () => {
  const installed = await installedVault();
  const { tables, clock, random } = installed.vault;
  const lanePolicy = { contendedAfter: 1, extraLanes: EXTRA.length };
  const trail = createAuditTrail({ ledger: tables.ledger, clock, random, lanePolicy });
  vault = { ...installed.vault, trail };
  ({ owner } = installed);
  ({ workspaceId } = owner.principal);
  tamperer = new Tamperer(tables);
  tables.rowsPerRead = 3;
  start = clock.now();
});

/** Rows about different secrets, a second apart, spread over whatever lanes there are. */
async function read(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    vault.clock.advance(SECOND);
    await vault.trail.commit(originOf(owner), [
      { action: 'secret.read', entity: { type: 'secret', id: `sec_${index}` }, result: 'success' },
    ]);
  }
}

/** Loses a race for lane 0, after which the next read opens more lanes. */
async function openLanes(): Promise<void> {
  let races = 1;
  vault.tables.faults = async ({ name }) => (name === 'ledger.append' && races-- > 0 ? 'contended' : 'none');
  await read(2);
  expect(await vault.ledger.extraLanes(workspaceId)).toHaveLength(EXTRA.length);
}

const ids = (items: readonly ReadableRow[]): string[] => items.map(({ stored }) => eventId(stored));
const storedIds = (): string[] =>
  [...vault.tables.rows.values()].filter((row) => row.workspaceId === workspaceId).map(eventId);
const timesOf = (items: readonly ReadableRow[]): string[] => items.map(({ content }) => content.ts);

const list = (filter: EventFilter, limit: number) => (after: EventPosition | undefined) =>
  listEvents(vault, owner, filter, { limit, ...(after === undefined ? {} : { after }) });

/** All pages of a listing, while something happens after the first. */
async function allPages(
  page: (after: EventPosition | undefined) => Promise<EventPage>,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<ReadableRow[]> {
  let { items, next } = await page(undefined);
  await meanwhile();
  const all = [...items];
  while (next !== undefined) {
    ({ items, next } = await page(next));
    all.push(...items);
  }
  return all;
}

describe('a list of events', () => {
  it('has the rows of all lanes, newest first', async () => {
    await openLanes();
    await read(20);
    const rows = storedIds();
    expect(new Set(rows.map((id) => id.split('-')[0]))).toEqual(new Set(['0', '2', '3', '4']));
    const items = await allPages(list({}, 4));
    expect(ids(items).toSorted()).toEqual(rows.toSorted());
    expect(timesOf(items)).toEqual(timesOf(items).toSorted().toReversed());
  });

  it('of a span of time has the rows of all lanes in it', async () => {
    await openLanes();
    await read(20);
    const { items } = await list({ from: start + 8 * SECOND, to: start + 15 * SECOND }, 100)(undefined);
    expect(timesOf(items).map((ts) => (Date.parse(ts) - start) / SECOND)).toEqual([14, 13, 12, 11, 10, 9, 8]);
    expect(new Set(items.map(({ stored }) => stored.lane)).size).toBeGreaterThan(1);
  });

  it.each([1, 3, 10])(
    'by pages of %i has what there was at its first page once, though lanes open meanwhile',
    async (limit) => {
      await read(12);
      const rows = storedIds();
      const items = await allPages(list({}, limit), async () => {
        await openLanes();
        await read(12);
      });
      expect(ids(items).toSorted()).toEqual(rows.toSorted());
    },
  );

  it('goes on with a position that names all lanes', async () => {
    await openLanes();
    await read(12);
    const rows = storedIds();
    const items = await allPages(list({}, 2), () => read(12));
    expect(ids(items).toSorted()).toEqual(rows.toSorted());
  });

  it('is of one workspace: lanes that another has do not matter', async () => {
    await openLanes();
    const other = callerWith({ workspaceId: 'ws_other', role: 'owner' });
    await listEvents(vault, other, {}, { limit: 10 });
    expect(ids((await listEvents(vault, other, {}, { limit: 10 })).items)).toEqual(['0-1']);
  });
});

describe('an export of events', () => {
  it('has the rows of all lanes, oldest first', async () => {
    await openLanes();
    await read(20);
    const rows = storedIds();
    const { items } = await exportEvents(vault, owner, {});
    expect(ids(items).toSorted()).toEqual(rows.toSorted());
    expect(timesOf(items)).toEqual(timesOf(items).toSorted());
  });

  it('goes on where it stood, and takes along the lanes that opened meanwhile', async () => {
    await read(5);
    const rows = storedIds();
    await openLanes();
    await read(5);
    const newer = storedIds().filter((id) => !rows.includes(id));
    const { items } = await exportEvents(vault, owner, {}, { 0: rows.length });
    expect(ids(items).toSorted()).toEqual([`0-${rows.length}`, ...newer].toSorted());
  });
});

describe('verification', () => {
  beforeEach(async () => {
    await openLanes();
    await read(20);
  });
  const verify = () => verifyWorkspace(vault, workspaceId);
  const edit = (lane: number) =>
    tamperer.editBytes({ workspaceId, lane }, 1, (text) => text.replace('203.0.113.7', '203.0.113.8'), false);

  it('reads all lanes, and finds an honest trail in order', async () => {
    const rows = storedIds().length;
    expect(await verify()).toMatchObject({ ok: true, rows, breaks: [] });
    expect(await verifyRange(vault, workspaceId, {})).toMatchObject({ ok: true, rows });
    const range = { from: start + 8 * SECOND, to: start + 15 * SECOND };
    expect(await verifyRange(vault, workspaceId, range)).toMatchObject({ ok: true, rows: 7 });
  });

  it.each(EXTRA)('finds an edit in lane %i', async (lane) => {
    edit(lane);
    const breaks = [{ lane, seq: 1, reason: 'hash_mismatch' }];
    expect((await verify()).breaks).toEqual(breaks);
    expect((await verifyRange(vault, workspaceId, {})).breaks).toEqual(breaks);
  });

  it('finds a lane, written anew, that is not linked to where it was opened', async () => {
    tamperer.rewriteFrom({ workspaceId, lane: 3 }, 1, (row) => ({ ...row, prev: '0'.repeat(64) }));
    const breaks = [{ lane: 3, seq: 1, reason: 'broken_link' }];
    expect((await verify()).breaks).toEqual(breaks);
    expect((await verifyRange(vault, workspaceId, {})).breaks).toEqual(breaks);
  });

  it('misses the set of lanes when it is gone, and reads the lanes all the same', async () => {
    tamperer.removeEntity(laneSetKind.name, workspaceId);
    edit(4);
    expect((await verify()).breaks).toMatchObject([
      { lane: 4, seq: 1, reason: 'hash_mismatch' },
      { lane: 0, reason: 'entity_missing', entity: { kind: 'laneSet', id: workspaceId } },
    ]);
  });

  it('finds a set that somebody made smaller, and reads what that would have hidden', async () => {
    tamperer.editEntity(laneSetKind.name, workspaceId, { count: 1 });
    expect(await verify()).toMatchObject({
      rows: storedIds().length,
      breaks: [{ reason: 'entity_altered', entity: { kind: 'laneSet', id: workspaceId } }],
    });
  });
});
