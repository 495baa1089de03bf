import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enterShiftedTime } from '../../local/shifted-time.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockzero-time-'));
const WallClock = globalThis.Date;

afterEach(() => {
  globalThis.Date = WallClock;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR_MS = 3_600_000;

test('time is the wall clock’s until it is moved on, and from then on for everybody', () => {
  const time = enterShiftedTime(join(folder, 'moved.json'));
  expect(Math.abs(Date.now() - WallClock.now())).toBeLessThan(HOUR_MS / 60);
  time.advance(HOUR_MS);
  for (const seen of [Date.now(), time.now(), Date.parse(new Date().toISOString())])
    expect(Math.round((seen - WallClock.now()) / HOUR_MS)).toBe(1);
  expect(new Date(0).toISOString()).toBe('1970-01-01T00:00:00.000Z');
  expect(new Date()).toBeInstanceOf(Date);
  expect(Date.UTC(2026, 0, 1)).toBe(WallClock.UTC(2026, 0, 1));
});

test('stays ahead from start to start', () => {
  const file = join(folder, 'kept.json');
  enterShiftedTime(file).advance(HOUR_MS);
  globalThis.Date = WallClock;
  expect(enterShiftedTime(file).ahead()).toBe(HOUR_MS);
});

test.each(['', '{}', '{"aheadMs": -5}', '{"aheadMs": "1"}'])('takes a file with %j for none', (content) => {
  const file = join(folder, 'damaged.json');
  writeFileSync(file, content);
  expect(enterShiftedTime(file).ahead()).toBe(0);
});
