import { volume } from '../../../core/anomaly/detectors/volume.ts';
import {
  DAY,
  HOUR,
  isNothing,
  KEY,
  MINUTE,
  MONDAY,
  only,
  SECOND,
  Watch,
} from '../../support/watched-actor.ts';

const WEEK = 7 * DAY;
const MIDNIGHT = MONDAY - 9 * HOUR;

/** A key that opens `count` of `secrets` secrets, a second apart. @returns what was found. */
function open(watch: Watch<unknown, unknown>, at: number, count: number, secrets = 5, prefix = 'sec') {
  return Array.from({ length: count }, (_, index) =>
    watch.see(at + index * SECOND, {
      actor: KEY,
      entity: { type: 'secret', id: `${prefix}_${index % secrets}` },
    }),
  ).flat();
}

const watching = (thresholds = {}) => new Watch<unknown, unknown>(volume as never, thresholds);

/** A key with 20 uses at ten each day and a job of 300 at two each night, for some weeks until a Monday. */
function settled(weeks: number, thresholds = {}) {
  const watch = watching(thresholds);
  for (let day = MIDNIGHT - weeks * WEEK; day < MIDNIGHT; day += DAY) {
    open(watch, day + 2 * HOUR, 300);
    open(watch, day + 10 * HOUR, 20);
  }
  return watch;
}

it('tells of an hour as soon as it is over the limit, with what was usual', () => {
  const watch = settled(8);
  const found = open(watch, MIDNIGHT + 14 * HOUR, 500);
  expect(only(found)).toEqual({
    tier: 'warning',
    kind: 'volume_anomaly',
    subject: 'api_key key_ci',
    seen: '101 uses of secrets between 14:00 and 15:00 UTC.',
    usual: 'Usual were 0 at this hour of the week in the last 8 weeks; up to 100 are let pass.',
    rows: Array.from({ length: 10 }, (_, index) => `0-${17_921 + (index < 9 ? index : 100)}`),
    detail: { measure: 'hour', count: '101', limit: '100' },
  });
});

it('a job is usual at its hour, half an hour late and in summer time, and nowhere else', () => {
  for (const late of [0, HOUR, -HOUR]) expect(open(settled(6), MIDNIGHT + 2 * HOUR + late, 310)).toEqual([]);
  expect(only(open(settled(6), MIDNIGHT + 5 * HOUR, 310)).detail).toMatchObject({ limit: '100' });
});

it('a job is usual from its fourth night on, without an alert before', () => {
  const watch = watching();
  for (let night = 0; night < 20; night += 1)
    expect(open(watch, MIDNIGHT + night * DAY + 2 * HOUR, 400)).toEqual([]);
});

it('what comes in two of eight weeks at no fixed hour is the way of the actor', () => {
  const watch = settled(8);
  expect(open(watch, MIDNIGHT + 11 * HOUR, 150)).toHaveLength(1);
  expect(open(watch, MIDNIGHT + WEEK + 2 * DAY + 16 * HOUR, 150)).toHaveLength(1);
  expect(open(watch, MIDNIGHT + WEEK + 5 * DAY + 13 * HOUR, 150)).toEqual([]);
  expect(open(watch, MIDNIGHT + WEEK + 6 * DAY + 13 * HOUR, 400)).toHaveLength(1);
});

it('whoever does as much as is let pass, hour after hour, raises the limit no more than once a week', () => {
  const watch = settled(8);
  for (let day = 0; day < 7; day += 1)
    for (const hour of [13, 17, 21]) expect(open(watch, MIDNIGHT + day * DAY + hour * HOUR, 95)).toEqual([]);
  expect(only(open(watch, MIDNIGHT + WEEK + 13 * HOUR, 101)).detail).toMatchObject({ limit: '100' });
});

it('alerts once in an hour, and again in the next', () => {
  const watch = settled(5);
  expect(open(watch, MIDNIGHT + 14 * HOUR, 1_000)).toHaveLength(1);
  expect(open(watch, MIDNIGHT + 15 * HOUR, 1_000)).toHaveLength(1);
});

it('a little in each hour adds up to an unusual day', () => {
  const watch = settled(8);
  const found = Array.from({ length: 20 }, (_, hour) => open(watch, MIDNIGHT + (3 + hour) * HOUR, 95)).flat();
  expect(only(found)).toMatchObject({
    seen: expect.stringMatching(/^\d+ uses of secrets on one day \(UTC\), before \d\d:00\.$/),
    usual: expect.stringContaining('on this day of the week in the last 8 weeks'),
    detail: { measure: 'day' },
  });
});

it('secrets that were never opened are told of, however slowly it goes', () => {
  const watch = settled(4);
  const found = Array.from({ length: 100 }, (_, index) =>
    open(watch, MIDNIGHT + index * 100 * MINUTE, 1, 1, `new${index}`),
  ).flat();
  expect(only(found)).toMatchObject({
    seen: '51 secrets opened this week that are none of the last few hundred which this actor opened.',
    usual: 'Usual were 0 in each of the last 2 weeks; up to 50 are let pass.',
    detail: { measure: 'new_secrets', count: '51' },
  });
});

it('new secrets that come week by week are usual from the third week on', () => {
  const watch = settled(4);
  for (let week = 0; week < 6; week += 1) {
    const found = open(watch, MIDNIGHT + week * WEEK + 2 * HOUR, 80, 80, `release${week}`);
    expect(found).toHaveLength(week < 2 ? 1 : 0);
  }
});

it.each([
  [500, 0],
  [501, 1],
])('of a newcomer, %i uses in an hour give reason for %i alerts', (count, alerts) => {
  const found = open(watching(), MONDAY, count);
  expect(found).toHaveLength(alerts);
  if (alerts === 1)
    expect(only(found).usual).toBe(
      'It is not known yet what is usual for this actor; up to 500 are let pass.',
    );
});

it('from nothing to the floor is no anomaly', () => {
  const watch = watching();
  for (let day = MIDNIGHT - 40 * DAY; day < MIDNIGHT; day += DAY) open(watch, day + 9 * HOUR, 1);
  expect(open(watch, MIDNIGHT + 9 * HOUR, 100)).toEqual([]);
});

it('counts what was used: no refusals, nothing that the caller had already, an export as its pages', () => {
  const watch = watching({ newcomerLimit: 10 });
  for (let index = 0; index < 50; index += 1) {
    expect(isNothing(watch.see(MONDAY, { result: 'denied' }))).toBe(true);
    expect(isNothing(watch.see(MONDAY, { action: 'secret.read', detail: { notModified: 'true' } }))).toBe(
      true,
    );
    expect(isNothing(watch.see(MONDAY, { action: 'audit.listed' }))).toBe(true);
  }
  expect(watch.see(MONDAY, { action: 'secret.exported', detail: { count: '1000' } })).toEqual([]);
  expect(only(watch.see(MONDAY, { action: 'secret.listed' })).detail).toMatchObject({ count: '11' });
});

it('thresholds change what is let pass', () => {
  expect(open(settled(4, { hourFloor: 600 }), MIDNIGHT + 14 * HOUR, 500)).toEqual([]);
  expect(open(settled(4, { hourFloor: 10, newSecretsFloor: 5 }), MIDNIGHT + 14 * HOUR, 30)).toHaveLength(1);
});

it('rows of an hour that is over count for the one at hand', () => {
  const watch = settled(4);
  watch.see(MIDNIGHT + 14 * HOUR, { actor: KEY });
  expect(isNothing(watch.see(MIDNIGHT + 14 * HOUR - SECOND, { actor: KEY }))).toBe(true);
  expect((watch.state as { count: number }).count).toBe(2);
});

it('a state stays below 3 KB, whatever happens, and survives years of silence', () => {
  const watch = watching({ newcomerLimit: 1_000_000 });
  for (let hour = 0; hour < 1_500; hour += 1)
    open(watch, MONDAY + hour * HOUR, 1 + (hour % 40), 40, `s${hour}`);
  expect(watch.bytes()).toBeLessThan(3_000);
  expect(open(watch, MONDAY + 900 * DAY, 50)).toEqual([]);
  expect(watch.bytes()).toBeLessThan(3_000);
});
