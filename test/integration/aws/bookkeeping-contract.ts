import { MARK_INTERVAL_MS } from '../../../core/identity/bookkeeping.ts';
import { newWorkspace, type Ports } from './ports.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');
const MINUTE = NOW / 60_000;

/** What every `Bookkeeping` must do. */
export function describeBookkeeping(getPorts: () => Ports): void {
  let ports: Ports;
  let ws: string;
  beforeEach(() => {
    ports = getPorts();
    ws = newWorkspace();
  });
  const lastUsed = async (...ids: string[]) => Object.fromEntries(await ports.bookkeeping.lastUsed(ws, ids));

  it('a use is noted at once, and then again after five minutes', async () => {
    const mark = (at: number) => ports.bookkeeping.markKeyUsed(ws, 'key_a', NOW + at);
    await mark(0);
    await mark(MARK_INTERVAL_MS - 1);
    expect(await lastUsed('key_a')).toEqual({ key_a: '2026-01-01T12:00:00.000Z' });
    await mark(MARK_INTERVAL_MS);
    expect(await lastUsed('key_a')).toEqual({ key_a: '2026-01-01T12:05:00.000Z' });
  });

  it('another instance of the function keeps to the same interval', async () => {
    await ports.bookkeeping.markKeyUsed(ws, 'key_a', NOW);
    await getPorts().bookkeeping.markKeyUsed(ws, 'key_a', NOW + MARK_INTERVAL_MS - 1);
    expect(await lastUsed('key_a')).toEqual({ key_a: '2026-01-01T12:00:00.000Z' });
    await getPorts().bookkeeping.markKeyUsed(ws, 'key_a', NOW + MARK_INTERVAL_MS);
    expect(await lastUsed('key_a')).toEqual({ key_a: '2026-01-01T12:05:00.000Z' });
  });

  it('keys that were never used are left out, and other workspaces have marks of their own', async () => {
    await ports.bookkeeping.markKeyUsed(ws, 'key_a', NOW);
    await ports.bookkeeping.markKeyUsed(newWorkspace(), 'key_b', NOW);
    expect(await lastUsed('key_a', 'key_b')).toEqual({ key_a: '2026-01-01T12:00:00.000Z' });
    expect(await lastUsed()).toEqual({});
  });

  it('counts by minute, workspace, address and reason', async () => {
    const { bookkeeping } = ports;
    const tally = { minute: MINUTE, workspaceId: ws, ip: '2001:db8::1', reason: 'unknown' };
    expect(await bookkeeping.count(tally)).toBe(1);
    expect(await bookkeeping.count(tally)).toBe(2);
    expect(await bookkeeping.count({ ...tally, ip: '*', reason: 'sources' })).toBe(1);
    expect(await bookkeeping.count({ ...tally, reason: 'expired' })).toBe(1);
    expect(await bookkeeping.count({ ...tally, minute: MINUTE + 1 })).toBe(1);
    const mine = (await bookkeeping.tallies(MINUTE)).filter(({ workspaceId }) => workspaceId === ws);
    expect(mine.toSorted((a, b) => a.reason.localeCompare(b.reason))).toEqual([
      { ...tally, reason: 'expired', count: 1 },
      { ...tally, ip: '*', reason: 'sources', count: 1 },
      { ...tally, count: 2 },
    ]);
    expect(await bookkeeping.tallies(MINUTE - 1)).toEqual([]);
  });

  it('counts that come at once are all counted', async () => {
    const tally = { minute: MINUTE, workspaceId: ws, ip: '198.51.100.1', reason: 'unknown' };
    const counts = await Promise.all(Array.from({ length: 10 }, () => ports.bookkeeping.count(tally)));
    expect(counts.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('remembers how far it swept', async () => {
    await ports.bookkeeping.markSwept(MINUTE);
    await ports.bookkeeping.markSwept(MINUTE + 1);
    expect(await getPorts().bookkeeping.sweptUntil()).toBe(MINUTE + 1);
  });
}
