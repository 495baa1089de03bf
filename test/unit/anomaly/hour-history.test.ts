import fc from 'fast-check';
import {
  beginHistory,
  countAt,
  HISTORY_HOURS,
  hourHistorySchema,
  recordHour,
} from '../../../core/anomaly/hour-history.ts';
import { hourOf, hourOfDay, hourOfWeek, isWeekend, weekOf } from '../../../core/anomaly/hour-of-week.ts';

it('weeks begin on Monday, and hours are those of UTC', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (at) => {
      const date = new Date(at);
      const day = (date.getUTCDay() + 6) % 7;
      const hour = hourOf(at);
      expect(hourOfDay(hour)).toBe(date.getUTCHours());
      expect(hourOfWeek(hour)).toBe(day * 24 + date.getUTCHours());
      expect(isWeekend(hour)).toBe(day >= 5);
      expect(weekOf(hour)).toBe(Math.floor((hour + 72) / 168));
    }),
  );
});

it('keeps what a plain map would keep of the last 1,344 hours, at most 15% too high', () => {
  const step = fc.record({ after: fc.integer({ min: 1, max: 500 }), count: fc.nat(650_000) });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500_000 }), fc.array(step, { maxLength: 40 }), (start, steps) => {
      const history = beginHistory(start);
      const plain = new Map<number, number>();
      let hour = start - 1;
      for (const { after, count } of steps) {
        hour += after;
        recordHour(history, hour, count);
        plain.set(hour, count);
      }
      hourHistorySchema.parse(history);
      for (let past = hour - HISTORY_HOURS - 10; past <= hour + 10; past += 1) {
        const expected = past > hour - HISTORY_HOURS ? (plain.get(past) ?? 0) : 0;
        const kept = countAt(history, past);
        const most = expected <= 16 ? expected : Math.ceil(expected * 1.16);
        if (kept < expected || kept > most) throw new RangeError(`${kept} is kept of ${expected}.`);
      }
    }),
    { numRuns: 30 },
  );
});

it('an hour that is recorded already stays, and a gap of years empties it', () => {
  const history = beginHistory(1_000);
  recordHour(history, 1_000, 5);
  recordHour(history, 1_000, 9);
  expect(countAt(history, 1_000)).toBe(5);
  recordHour(history, 99_999, 3_000_000);
  expect(countAt(history, 1_000)).toBe(0);
  expect(countAt(history, 99_999)).toBeGreaterThan(650_000);
  expect(history.since).toBe(99_999 + 1 - HISTORY_HOURS);
  expect(JSON.stringify(history)).toHaveLength(HISTORY_HOURS + 41);
});
