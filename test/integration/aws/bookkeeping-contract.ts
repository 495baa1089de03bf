import { MARK_INTERVAL_MS } from '../../../core/identity/bookkeeping.ts';
import { scanned } from '../../support/scanned.ts';
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

  describe('sessions', () => {
    const TOMORROW = NOW + 24 * 60 * 60 * 1000;
    const touch = (at: number, since: number) => ports.bookkeeping.touchSession(ws, at, since);
    const seen = async (...ids: string[]) => Object.fromEntries(await ports.bookkeeping.sessionsSeen(ids));

    it('are seen from their start on, and again whenever they are used', async () => {
      await ports.bookkeeping.startSession(ws, NOW, TOMORROW);
      expect(await seen(ws)).toEqual({ [ws]: NOW });
      expect(await touch(NOW + 1, NOW - 1)).toBe(true);
      expect(await seen(ws)).toEqual({ [ws]: NOW + 1 });
      expect(await getPorts().bookkeeping.sessionsSeen([ws])).toEqual(new Map([[ws, NOW + 1]]));
    });

    it('that were used at the limit or before are idle, and stay it', async () => {
      await ports.bookkeeping.startSession(ws, NOW, TOMORROW);
      expect(await touch(NOW + 10, NOW)).toBe(false);
      expect(await touch(NOW + 10, NOW + 5)).toBe(false);
      expect(await seen(ws)).toEqual({ [ws]: NOW });
      expect(await touch(NOW + 10, NOW - 1)).toBe(true);
    });

    it('without a mark are idle, and get none by being asked for', async () => {
      expect(await touch(NOW, 0)).toBe(false);
      expect(await seen(ws)).toEqual({});
      expect(await seen()).toEqual({});
    });

    it('are told apart', async () => {
      const other = newWorkspace();
      await ports.bookkeeping.startSession(ws, NOW, TOMORROW);
      await ports.bookkeeping.startSession(other, NOW + 7, TOMORROW);
      expect(await seen(ws, other, newWorkspace())).toEqual({ [ws]: NOW, [other]: NOW + 7 });
    });

    it('are seen a hundred at a time', async () => {
      const ids = Array.from({ length: 100 }, newWorkspace);
      for (const id of ids) await ports.bookkeeping.startSession(id, NOW, TOMORROW);
      expect(Object.keys(await seen(...ids)).toSorted()).toEqual(ids.toSorted());
    });
  });

  describe('failures', () => {
    const LATER = NOW + 60_000;
    const account = () => `${ws}#-`;
    const replace = (version: number, failures: readonly number[], key = account()) =>
      ports.bookkeeping.replaceFailures(key, version, failures, LATER);

    it('are none at first, and then what was put there last', async () => {
      expect(await ports.bookkeeping.failures(account())).toEqual({ version: 0, failures: [] });
      expect(await replace(0, [NOW])).toBeUndefined();
      expect(await replace(1, [NOW, NOW + 1])).toBeUndefined();
      expect(await getPorts().bookkeeping.failures(account())).toEqual({
        version: 2,
        failures: [NOW, NOW + 1],
      });
      expect(await replace(2, [])).toBeUndefined();
      expect(await ports.bookkeeping.failures(account())).toEqual({ version: 3, failures: [] });
    });

    it('are replaced only at the version that was read, and else told as they are now', async () => {
      await replace(0, [NOW]);
      expect(await replace(0, [NOW + 1])).toEqual({ version: 1, failures: [NOW] });
      expect(await replace(7, [NOW + 1])).toEqual({ version: 1, failures: [NOW] });
      expect(await ports.bookkeeping.failures(account())).toEqual({ version: 1, failures: [NOW] });
    });

    it('of a record that is gone are told as none, at version 0', async () => {
      expect(await replace(3, [NOW])).toEqual({ version: 0, failures: [] });
      expect(await ports.bookkeeping.failures(account())).toEqual({ version: 0, failures: [] });
    });

    it('that ten replace at once are replaced by one of them', async () => {
      const outcomes = await Promise.all(Array.from({ length: 10 }, (_, index) => replace(0, [NOW + index])));
      expect(outcomes.filter((other) => other === undefined)).toHaveLength(1);
      const stands = await ports.bookkeeping.failures(account());
      expect(stands.version).toBe(1);
      for (const other of outcomes) if (other !== undefined) expect(other).toEqual(stands);
    });

    it('of an account from elsewhere and from its devices are counted apart', async () => {
      const keys = ['-', 'device-1', 'device-2'].map((device) => `${ws}#${device}`);
      for (const [index, key] of keys.entries()) await replace(0, [NOW + index], key);
      const found = keys.map((key) => ports.bookkeeping.failures(key));
      expect((await Promise.all(found)).map(({ failures }) => failures)).toEqual([
        [NOW],
        [NOW + 1],
        [NOW + 2],
      ]);
    });
  });

  describe('requests', () => {
    it('are counted by key and minute', async () => {
      const { bookkeeping } = ports;
      expect(await bookkeeping.countRequest(`login#ip#${ws}`, MINUTE)).toBe(1);
      expect(await getPorts().bookkeeping.countRequest(`login#ip#${ws}`, MINUTE)).toBe(2);
      expect(await bookkeeping.countRequest(`login#account#${ws}`, MINUTE)).toBe(1);
      expect(await bookkeeping.countRequest(`login#ip#${ws}`, MINUTE + 1)).toBe(1);
    });

    it('that come at once are all counted', async () => {
      const counts = await Promise.all(
        Array.from({ length: 10 }, () => ports.bookkeeping.countRequest(`setup#ip#${ws}`, MINUTE)),
      );
      expect(counts.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    it('and failed authentications are no part of each other', async () => {
      await ports.bookkeeping.countRequest(`login#ip#${ws}`, MINUTE + 2);
      const mine = (await ports.bookkeeping.tallies(MINUTE + 2)).filter(
        ({ workspaceId }) => workspaceId === ws,
      );
      expect(mine).toEqual([]);
    });
  });

  describe('secrets', () => {
    it('are none at first, and then as many as were added', async () => {
      const { bookkeeping } = ports;
      expect(await bookkeeping.secretCount(ws)).toBe(0);
      expect(await bookkeeping.addSecrets(ws, 20)).toBe(20);
      expect(await getPorts().bookkeeping.addSecrets(ws, -1)).toBe(19);
      expect(await bookkeeping.secretCount(ws)).toBe(19);
      expect(await bookkeeping.secretCount(newWorkspace())).toBe(0);
    });

    it('that are added at once are all counted', async () => {
      await Promise.all(Array.from({ length: 10 }, () => ports.bookkeeping.addSecrets(ws, 2)));
      expect(await ports.bookkeeping.secretCount(ws)).toBe(20);
    });

    it('are set right, and counted on from there', async () => {
      await ports.bookkeeping.addSecrets(ws, 7);
      await ports.bookkeeping.setSecretCount(ws, 3);
      await ports.bookkeeping.setSecretCount(ws, 3);
      expect(await ports.bookkeeping.addSecrets(ws, 1)).toBe(4);
    });

    it('of a count that was lost are none while more are destroyed than made', async () => {
      expect(await ports.bookkeeping.addSecrets(ws, -2)).toBe(-2);
      expect(await ports.bookkeeping.secretCount(ws)).toBe(0);
      expect(await ports.bookkeeping.addSecrets(ws, 3)).toBe(1);
    });
  });

  it('rows before a month are noted by month, and the last note stands', async () => {
    const { bookkeeping } = ports;
    expect(await bookkeeping.rowsBefore(ws)).toEqual(new Map());
    await bookkeeping.noteRowsBefore(ws, '2026-01', 0);
    await bookkeeping.noteRowsBefore(ws, '2025-12', 7);
    await bookkeeping.noteRowsBefore(ws, '2026-01', 12);
    await bookkeeping.noteRowsBefore(newWorkspace(), '2026-01', 99);
    expect(await getPorts().bookkeeping.rowsBefore(ws)).toEqual(
      new Map([
        ['2025-12', 7],
        ['2026-01', 12],
      ]),
    );
  });

  it('of plans is bookkeeping, which no scan of the entities shows', async () => {
    await ports.bookkeeping.addSecrets(ws, 1);
    await ports.bookkeeping.noteRowsBefore(ws, '2026-01', 1);
    const found = await scanned(ports.inspector);
    expect(found.filter(({ id }) => id.startsWith('B#secrets') || id.startsWith('B#months'))).toEqual([]);
  });
}
