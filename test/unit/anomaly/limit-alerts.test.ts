import type { Sighting } from '../../../core/anomaly/detector.ts';
import { limitAlerts, NOTHING_TOLD } from '../../../core/anomaly/limit-alerts.ts';

const MINUTE = 60_000;
const NOON = Date.parse('2026-03-02T12:00:00.000Z');

const sighting = (subject: string, more: Partial<Sighting> = {}): Sighting => ({
  tier: 'warning',
  kind: 'brute_force',
  subject,
  seen: 'much',
  usual: 'little',
  rows: ['0-1'],
  detail: {},
  ...more,
});

/** What is raised, of findings at some times. */
function raisedOf(found: readonly (readonly [number, Sighting])[]): string[] {
  let told = NOTHING_TOLD;
  return found.flatMap(([at, one]) => {
    const limited = limitAlerts(told, [one], at);
    told = JSON.parse(JSON.stringify(limited.told));
    return limited.raised.map(({ subject, tier }) => `${tier} ${subject}`);
  });
}

it('raises an alert once in 15 minutes, and again when it is worse', () => {
  expect(
    raisedOf([
      [NOON, sighting('a')],
      [NOON + MINUTE, sighting('a')],
      [NOON + MINUTE, sighting('b')],
      [NOON + 2 * MINUTE, sighting('a', { tier: 'critical' })],
      [NOON + 2 * MINUTE, sighting('a', { kind: 'off_hours' })],
      // A row of another lane, from just before the span began.
      [NOON - 1, sighting('a')],
      [NOON + 15 * MINUTE, sighting('a')],
    ]),
  ).toEqual(['warning a', 'warning b', 'critical a', 'warning a', 'warning a']);
});

it('raises two of the same row that are about the same once', () => {
  expect(limitAlerts(NOTHING_TOLD, [sighting('a'), sighting('a')], NOON).raised).toHaveLength(1);
});

it('raises 20 of a kind, one that tells of further ones, and other kinds besides', () => {
  const storm = Array.from({ length: 50 }, (_, index) => [NOON + index, sighting(`ip ${index}`)] as const);
  const raised = raisedOf([...storm, [NOON + 60, sighting('a key', { kind: 'off_hours' })]]);
  expect(raised.slice(0, 20)).toEqual(storm.slice(0, 20).map(([, { subject }]) => `warning ${subject}`));
  expect(raised.slice(20)).toEqual(['warning many at once', 'warning a key']);
});

it('hides nothing critical behind warnings', () => {
  const storm = Array.from({ length: 50 }, (_, index) => [NOON + index, sighting(`ip ${index}`)] as const);
  const raised = raisedOf([...storm, [NOON + 60, sighting('ip 49', { tier: 'critical' })]]);
  expect(raised.slice(20)).toEqual(['warning many at once', 'critical ip 49']);
});

it('goes on after a clock was set back', () => {
  expect(
    raisedOf([
      [NOON, sighting('a')],
      [NOON - 60 * MINUTE, sighting('a')],
    ]),
  ).toEqual(['warning a', 'warning a']);
});
