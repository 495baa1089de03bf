import { dormantKey } from '../../../core/anomaly/detectors/dormant-key.ts';
import { unusedKey } from '../../../core/anomaly/detectors/unused-key.ts';
import { DAY, HOUR, isNothing, KEY, MONDAY, only, USER, Watch } from '../../support/watched-actor.ts';

const use = { actor: KEY };
const MADE = { type: 'api_key', id: KEY.id };

describe('a key that was used before', () => {
  it('is dormant after 90 days without a use, to the day', () => {
    const watch = new Watch(dormantKey);
    expect(isNothing(watch.see(MONDAY, use))).toBe(true);
    expect(isNothing(watch.see(MONDAY + 90 * DAY - 1, use))).toBe(true);
    expect(only(watch.see(MONDAY + 180 * DAY, use))).toEqual({
      tier: 'warning',
      kind: 'dormant_key_used',
      subject: 'api_key key_ci',
      seen: 'The key was used from 203.0.113.7 (secret.revealed) after 90 days without any use.',
      usual: 'A key that is not used for 90 days is taken for forgotten.',
      rows: ['0-3'],
      detail: { quietDays: '90', ip: '203.0.113.7' },
    });
    expect(isNothing(watch.see(MONDAY + 180 * DAY + HOUR, use))).toBe(true);
  });

  it('is told of whatever it does, even if that is refused', () => {
    const watch = new Watch(dormantKey);
    watch.see(MONDAY, use);
    expect(watch.see(MONDAY + 91 * DAY, { ...use, result: 'denied' })).toHaveLength(1);
  });

  it('is dormant as soon as the workspace says, and a row out of order wakes nothing', () => {
    const watch = new Watch(dormantKey, { days: 7 });
    watch.see(MONDAY, use);
    expect(isNothing(watch.see(MONDAY - HOUR, use))).toBe(true);
    expect(watch.see(MONDAY + 7 * DAY, use)).toHaveLength(1);
  });

  it('people may come back after a year', () => {
    const watch = new Watch(dormantKey);
    watch.see(MONDAY, { actor: USER });
    expect(isNothing(watch.see(MONDAY + 400 * DAY, { actor: USER }))).toBe(true);
  });
});

describe('a key that was never used', () => {
  const made = (watch: Watch<unknown, unknown>, at = MONDAY) =>
    watch.see(at, { action: 'api_key.created', entity: MADE });
  const watching = (thresholds = {}) => new Watch<unknown, unknown>(unusedKey as never, thresholds);

  it('is told of when it is first used 90 days after it was made', () => {
    const watch = watching();
    expect(isNothing(made(watch))).toBe(true);
    expect(only(watch.see(MONDAY + 90 * DAY, use))).toMatchObject({
      kind: 'dormant_key_used',
      subject: 'api_key key_ci',
      seen: 'The key was used for the first time, from 203.0.113.7 (secret.revealed), 90 days after it was made.',
      rows: ['0-2'],
      detail: { ageDays: '90' },
    });
    expect(isNothing(watch.see(MONDAY + 200 * DAY, use))).toBe(true);
  });

  it('is nothing if it is used within the time', () => {
    const watch = watching();
    made(watch);
    expect(isNothing(watch.see(MONDAY + 89 * DAY, use))).toBe(true);
    expect(isNothing(watch.see(MONDAY + 300 * DAY, use))).toBe(true);
  });

  it('begins anew with the successor of a rotation', () => {
    const watch = watching();
    made(watch);
    const detail = { successor: 'key_next' };
    watch.see(MONDAY + 80 * DAY, { action: 'api_key.rotated', entity: MADE, detail });
    expect(isNothing(watch.see(MONDAY + 95 * DAY, use))).toBe(true);
    const next = { actor: { type: 'api_key', id: 'key_next' } } as const;
    expect(only(watch.see(MONDAY + 170 * DAY, next)).detail).toMatchObject({ ageDays: '90' });
  });

  it.each([
    ['made before the watch', () => undefined],
    [
      'made again by a repeat',
      (watch: Watch<unknown, unknown>) =>
        watch.see(MONDAY, { action: 'api_key.created', entity: MADE, detail: { replayed: 'true' } }),
    ],
    [
      'not made after all',
      (watch: Watch<unknown, unknown>) =>
        watch.see(MONDAY, { action: 'api_key.created', entity: MADE, result: 'failure' }),
    ],
    [
      'revoked',
      (watch: Watch<unknown, unknown>) => {
        made(watch);
        return watch.see(MONDAY, { action: 'api_key.revoked', entity: MADE });
      },
    ],
  ])('has no age here if it was %s', (_what, happen) => {
    const watch = watching();
    happen(watch);
    expect(isNothing(watch.see(MONDAY + 200 * DAY, use))).toBe(true);
  });

  it('is remembered among 500, and a state stays below 64 KB', () => {
    const watch = watching();
    for (let index = 0; index < 600; index += 1) {
      const id = `key_${String(index).padStart(32, '0')}`;
      watch.see(MONDAY, { action: 'api_key.created', entity: { type: 'api_key', id } });
    }
    expect(watch.bytes()).toBeLessThan(64 * 1_024);
    const first = { type: 'api_key', id: `key_${'0'.repeat(32)}` } as const;
    expect(watch.see(MONDAY + 100 * DAY, { actor: first })).toHaveLength(1);
    made(watch, MONDAY + 101 * DAY);
    expect(watch.see(MONDAY + 200 * DAY, use)).toHaveLength(1);
  });
});
