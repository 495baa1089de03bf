import { offHours } from '../../../core/anomaly/detectors/off-hours.ts';
import { DAY, HOUR, isNothing, KEY, MINUTE, MONDAY, only, USER, Watch } from '../../support/watched-actor.ts';

const MIDNIGHT = MONDAY - 9 * HOUR;

type Actor = typeof USER | typeof KEY;

/** Somebody who works at these hours on working days, for some weeks until a Monday. */
function working(hours: readonly number[], weeks = 5, actor: Actor = USER, thresholds = {}) {
  const watch = new Watch(offHours, thresholds);
  for (let day = -7 * weeks; day < 0; day += 1) {
    if ((day + 700) % 7 >= 5) continue;
    for (const hour of hours)
      for (let use = 0; use < 6; use += 1)
        expect(isNothing(watch.see(MIDNIGHT + day * DAY + hour * HOUR + use * MINUTE, { actor }))).toBe(true);
  }
  return watch;
}

/** What is found when six secrets are opened at an hour of a day. */
function openAt(watch: Watch<unknown, unknown>, day: number, hour: number, row = {}) {
  return Array.from({ length: 6 }, (_, use) =>
    watch.see(MIDNIGHT + day * DAY + hour * HOUR + use * MINUTE, row),
  ).flat();
}

const OFFICE = [8, 9, 10, 11, 13, 14, 15, 16];

it('a person who opens secrets at night is told of, at the fifth', () => {
  const watch = working(OFFICE) as Watch<unknown, unknown>;
  expect(only(openAt(watch, 1, 2))).toEqual({
    tier: 'info',
    kind: 'off_hours',
    subject: 'user usr_ada',
    seen: 'Secrets, keys or rights were used or changed between 02:00 and 03:00 UTC: 5 actions so far.',
    usual: 'On the last 25 days on which it was seen, this actor worked 08:00–12:00, 13:00–17:00 UTC.',
    rows: Array.from({ length: 5 }, (_, use) => `0-${1_201 + use}`),
    detail: { hour: '02:00', count: '5' },
  });
});

it.each([4, 6, 12, 18, 20])('%i o’clock is near enough to the hours of an office', (hour) => {
  expect(openAt(working(OFFICE) as Watch<unknown, unknown>, 1, hour)).toEqual([]);
});

it('a weekend at the hours of the week is no night', () => {
  expect(openAt(working(OFFICE) as Watch<unknown, unknown>, 5, 11)).toEqual([]);
});

it('one night is told of once, the next one again', () => {
  const watch = working(OFFICE) as Watch<unknown, unknown>;
  expect(openAt(watch, 1, 1)).toHaveLength(1);
  expect(openAt(watch, 1, 2)).toEqual([]);
  expect(openAt(watch, 2, 2)).toHaveLength(1);
});

it('a key that runs around the clock has no such hour; one with a fixed hour has many', () => {
  const allDay = Array.from({ length: 24 }, (_, hour) => hour);
  const service = working(allDay, 3, KEY) as Watch<unknown, unknown>;
  for (const hour of allDay) expect(openAt(service, 1, hour, { actor: KEY })).toEqual([]);
  const job = working([3], 3, KEY) as Watch<unknown, unknown>;
  expect(only(openAt(job, 1, 14, { actor: KEY }))).toMatchObject({
    tier: 'warning',
    subject: 'api_key key_ci',
  });
});

it('nothing is unusual before ten days are known', () => {
  expect(openAt(working(OFFICE, 1) as Watch<unknown, unknown>, 1, 2)).toEqual([]);
  expect(openAt(working(OFFICE, 2) as Watch<unknown, unknown>, 1, 2)).toHaveLength(1);
});

it('looking is not told of, nor what was refused', () => {
  const watch = working(OFFICE) as Watch<unknown, unknown>;
  expect(openAt(watch, 1, 2, { action: 'secret.read' })).toEqual([]);
  expect(openAt(watch, 1, 2, { result: 'denied' })).toEqual([]);
});

it('a shift that moves by an hour a week is followed', () => {
  const watch = new Watch<unknown, unknown>(offHours as never);
  for (let week = 0; week < 12; week += 1)
    for (let day = 0; day < 5; day += 1)
      for (let hour = 8; hour < 12; hour += 1)
        expect(openAt(watch, week * 7 + day, (hour + week) % 24)).toEqual([]);
});

it('who travels is not judged, and what they do there is not learned', () => {
  const home = { location: { country: 'DE' } };
  const away = { location: { country: 'JP' } };
  const watch = new Watch<unknown, unknown>(offHours as never);
  for (let day = 0; day < 30; day += 1) openAt(watch, day, 10, home);
  for (let day = 30; day < 45; day += 1) expect(openAt(watch, day, 1, away)).toEqual([]);
  expect(openAt(watch, 45, 1, home)).toHaveLength(1);
});

it('who moves begins anew there after some weeks', () => {
  const watch = new Watch<unknown, unknown>(offHours as never);
  for (let day = 0; day < 60; day += 1) openAt(watch, day, 10, { location: { country: 'DE' } });
  for (let day = 60; day < 120; day += 1)
    expect(openAt(watch, day, 1, { location: { country: 'JP' } })).toEqual([]);
  expect(openAt(watch, 120, 17, { location: { country: 'JP' } })).toHaveLength(1);
});

it('a state stays below 1 KB', () => {
  const watch = new Watch(offHours, { actions: 1_000 });
  for (let hour = 0; hour < 4_000; hour += 1)
    for (let use = 0; use < 12; use += 1) watch.see(MONDAY + hour * HOUR + use);
  expect(watch.bytes()).toBeLessThan(1_000);
});
