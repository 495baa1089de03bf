import fc from 'fast-check';
import { type Day, dayOf, dayStart, daysBefore } from '../../../core/archive/day.ts';
import { periodOf, RHYTHMS } from '../../../core/evidence-schedule/period.ts';

it.each([
  ['week', '2026-11-22', { name: '2026-W47', from: '2026-11-16', to: '2026-11-23' }],
  ['week', '2026-11-23', { name: '2026-W48', from: '2026-11-23', to: '2026-11-30' }],
  ['week', '2027-01-01', { name: '2026-W53', from: '2026-12-28', to: '2027-01-04' }],
  ['month', '2026-12-31', { name: '2026-12', from: '2026-12-01', to: '2027-01-01' }],
  ['month', '2028-02-29', { name: '2028-02', from: '2028-02-01', to: '2028-03-01' }],
] as const)('the %s of %s', (rhythm, day, period) => {
  expect(periodOf(rhythm, day)).toEqual(period);
});

const days = fc
  .integer({ min: dayStart('2024-01-01'), max: dayStart('2040-12-31') })
  .map((milliseconds): Day => dayOf(milliseconds));

it.each(RHYTHMS)('each day lies in one %s, and the next one begins where it ends', (rhythm) => {
  fc.assert(
    fc.property(days, (day) => {
      const period = periodOf(rhythm, day);
      expect(period.from <= day && day < period.to).toBe(true);
      expect(periodOf(rhythm, period.from)).toEqual(period);
      expect(periodOf(rhythm, daysBefore(period.to, 1))).toEqual(period);
      expect(periodOf(rhythm, period.to).from).toBe(period.to);
      expect(periodOf(rhythm, period.to).name).not.toBe(period.name);
    }),
  );
});
