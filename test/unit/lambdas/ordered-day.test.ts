import { orderedDay } from '../../../lambdas/reconciler/ordered-day.ts';

test('the reconciler does the day that it is sent', () => {
  expect(orderedDay({ day: '2026-11-22' })).toBe('2026-11-22');
});

test.each([[undefined], [null], ['2026-11-22'], [{}], [{ source: 'aws.scheduler' }]])(
  'it does its ordinary work for %j',
  (event) => {
    expect(orderedDay(event)).toBeUndefined();
  },
);

test.each([
  [{ day: '2026-11-3' }],
  [{ day: '2026-02-30' }],
  [{ day: '2026-11-22T00:00:00Z' }],
  [{ day: 20261122 }],
  [{ day: null }],
  [{ day: '2026-11-22', to: '2026-11-25' }],
])('it refuses %j, and says what to send', (event) => {
  expect(() => orderedDay(event)).toThrow('Send {"day": "2026-11-22"}');
});
