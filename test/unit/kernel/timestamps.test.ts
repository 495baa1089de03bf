import fc from 'fast-check';
import { isTimestamp, timestamp } from '../../../core/kernel/timestamps.ts';

it('is 24 characters in UTC with milliseconds', () => {
  expect(timestamp(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(timestamp(Date.UTC(2024, 1, 29, 23, 59, 59, 7))).toBe('2024-02-29T23:59:59.007Z');
});

it('passes its own test, and sorts as text like the instants do', () => {
  const instant = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) });
  fc.assert(
    fc.property(instant, instant, (a, b) => {
      expect(isTimestamp(timestamp(a))).toBe(true);
      expect(Date.parse(timestamp(a))).toBe(a);
      expect(timestamp(a) < timestamp(b)).toBe(a < b);
    }),
  );
});

it.each([
  '',
  '2024-02-30T00:00:00.000Z',
  '2023-02-29T00:00:00.000Z',
  '2024-13-01T00:00:00.000Z',
  '2024-01-01T24:00:00.000Z',
  '2024-01-01T23:60:00.000Z',
  '2024-01-01T23:59:60.000Z',
  '2024-01-01T00:00:00Z',
  '2024-01-01T00:00:00.000',
  '2024-01-01T00:00:00.000+00:00',
  '2024-01-01t00:00:00.000z',
  '2024-01-01 00:00:00.000Z',
  '2024-01-01T00:00:00.0000Z',
  '2024-01-01T00:00:00.000Z\n',
  '+010000-01-01T00:00:00.000Z',
  '٢٠٢٤-01-01T00:00:00.000Z',
])('refuses %j', (text) => {
  expect(isTimestamp(text)).toBe(false);
});
