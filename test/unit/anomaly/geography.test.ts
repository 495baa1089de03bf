import { countryCodes } from '../../../core/anomaly/countries.ts';
import { geography } from '../../../core/anomaly/detectors/geography.ts';
import { DAY, HOUR, isNothing, KEY, MINUTE, MONDAY, only, USER, Watch } from '../../support/watched-actor.ts';

const BERLIN = { country: 'DE', latitude: 52.5, longitude: 13.4 };
const MUNICH = { country: 'DE', latitude: 48.1, longitude: 11.6 };
const NEW_YORK = { country: 'US', latitude: 40.7, longitude: -74 };
const SEATTLE = { country: 'US', latitude: 47.6, longitude: -122.3 };

type Actor = typeof USER | typeof KEY;
type Place = { readonly country: string; readonly latitude?: number; readonly longitude?: number };

/** Somebody who has come from these places for two weeks, twice a day from each, until Sunday. */
function settled(places: readonly Place[], actor: Actor = USER, thresholds = {}) {
  const watch = new Watch(geography, thresholds);
  for (let day = 14; day >= 1; day -= 1) {
    for (const [index, location] of places.entries()) {
      const at = MONDAY - day * DAY + index * 14 * HOUR;
      expect(isNothing(watch.see(at, { actor, location }))).toBe(true);
      expect(isNothing(watch.see(at + MINUTE, { actor, location }))).toBe(true);
    }
  }
  return watch;
}

describe('a new country', () => {
  it('is told of once, with what was usual', () => {
    const watch = settled([{ country: 'DE' }]);
    const row = { location: { country: 'FR' } };
    expect(only(watch.see(MONDAY, row))).toEqual({
      tier: 'warning',
      kind: 'new_country',
      subject: 'user usr_ada',
      seen: 'Came from France (FR), for the first time in 28 uses over 14 days.',
      usual: 'Usually comes from Germany (DE).',
      rows: ['0-29'],
      detail: { country: 'FR' },
    });
    for (const at of [MINUTE, 3 * DAY, 100 * DAY]) expect(isNothing(watch.see(MONDAY + at, row))).toBe(true);
  });

  it('is told of for an API key, also when it is used elsewhere at the same time', () => {
    const watch = settled([{ country: 'DE' }], KEY);
    watch.see(MONDAY, { actor: KEY, location: BERLIN });
    const sighting = only(watch.see(MONDAY + 1, { actor: KEY, location: { country: 'BR' } }));
    expect(sighting).toMatchObject({ kind: 'new_country', subject: 'api_key key_ci' });
  });

  it.each([
    ['with too few uses', 15, 19],
    ['over too few days', 6, 200],
  ])('means nothing to somebody who is known %s', (_, days, uses) => {
    const watch = new Watch(geography);
    for (let use = 0; use < uses; use += 1)
      watch.see(MONDAY + (use * days * DAY) / uses, { location: { country: 'DE' } });
    expect(isNothing(watch.see(MONDAY + days * DAY, { location: { country: 'VN' } }))).toBe(true);
    expect(isNothing(watch.see(MONDAY + days * DAY + 9 * HOUR, { location: { country: 'VN' } }))).toBe(true);
  });

  it('is one alert where a person tries the exits of a VPN', () => {
    const watch = settled([{ country: 'DE' }]);
    const exits = ['NL', 'SE', 'US', 'JP', 'BR', 'AU', 'DE', 'ZA'];
    const found = exits.flatMap((country, index) =>
      watch.see(MONDAY + index * MINUTE, { location: { country } }),
    );
    expect(only(found)).toMatchObject({ rows: ['0-29'] });
    const again = exits.flatMap((country, index) =>
      watch.see(MONDAY + 2 * DAY + index * MINUTE, { location: { country } }),
    );
    expect(again.filter(({ kind }) => kind === 'new_country')).toEqual([]);
  });

  it('is only worth a note for somebody who comes from everywhere', () => {
    const homes = ['DE', 'FR', 'NL', 'BE', 'LU'].map((country) => ({ country }));
    const watch = settled(homes, KEY);
    expect(only(watch.see(MONDAY, { actor: KEY, location: { country: 'IT' } })).tier).toBe('info');
  });

  it('is new again when it was forgotten', () => {
    const watch = settled([{ country: 'DE' }, { country: 'AT' }]);
    for (let day = 0; day <= 181; day += 1) watch.see(MONDAY + day * DAY, { location: { country: 'DE' } });
    const sighting = only(watch.see(MONDAY + 181 * DAY, { location: { country: 'AT' } }));
    expect(sighting.seen).toBe('Came from Austria (AT), for the first time in 180 days.');
  });
});

describe('impossible travel', () => {
  it('is told of with both uses', () => {
    const watch = settled([BERLIN]);
    watch.see(MONDAY, { location: BERLIN });
    expect(only(watch.see(MONDAY + 40 * MINUTE, { location: NEW_YORK }))).toEqual({
      tier: 'critical',
      kind: 'impossible_travel',
      subject: 'user usr_ada',
      seen: 'Came from Germany (DE) and, within 40 minutes, from United States (US): at least 6,386 kilometres away.',
      usual: 'Nobody travels faster than 1,000 km/h. Usually comes from Germany (DE).',
      rows: ['0-29', '0-30'],
      detail: {
        fromCountry: 'DE',
        toCountry: 'US',
        distanceKm: '6386',
        seconds: '2400',
        newCountry: 'true',
      },
    });
  });

  it('is told of where only countries are known, by the least distance that they have', () => {
    const watch = settled([{ country: 'DE' }]);
    watch.see(MONDAY, { location: { country: 'DE' } });
    const { detail } = only(watch.see(MONDAY + HOUR, { location: { country: 'BR' } }));
    expect(Number(detail['distanceKm'])).toBeGreaterThan(5_000);
    expect(Number(detail['distanceKm'])).toBeLessThan(9_000);
  });

  it('is told of where one side is a city and the other a country', () => {
    const watch = settled([BERLIN]);
    watch.see(MONDAY, { location: BERLIN });
    expect(only(watch.see(MONDAY + HOUR, { location: { country: 'JP' } })).kind).toBe('impossible_travel');
  });

  it('is told of where rows come in the wrong order', () => {
    const watch = settled([BERLIN]);
    watch.see(MONDAY + MINUTE, { location: BERLIN });
    expect(only(watch.see(MONDAY, { location: NEW_YORK })).kind).toBe('impossible_travel');
  });

  it('within a country is a warning', () => {
    const watch = settled([NEW_YORK]);
    watch.see(MONDAY, { location: NEW_YORK });
    expect(only(watch.see(MONDAY + HOUR, { location: SEATTLE }))).toMatchObject({
      tier: 'warning',
      detail: { newCountry: 'false' },
    });
  });

  it.each([
    ['a flight', BERLIN, NEW_YORK, 8 * HOUR],
    ['a train to the next city', BERLIN, MUNICH, 4 * HOUR],
    ['an address in a city nearby', BERLIN, { ...BERLIN, latitude: 50.1, longitude: 8.7 }, 0],
    ['a neighbouring country', { country: 'DE' }, { country: 'AT' }, 0],
    ['a country across the sea', { country: 'GB' }, { country: 'NO' }, 0],
    ['the same country, once known to the city', BERLIN, { country: 'DE' }, 0],
    ['a country that nobody knows', { country: 'DE' }, { country: 'QQ' }, 0],
  ])('is not %s', (_, home, location, elapsed) => {
    const watch = settled([home]);
    watch.see(MONDAY, { location: home });
    const found = watch.see(MONDAY + elapsed, { location });
    expect(found.map(({ kind }) => kind)).not.toContain('impossible_travel');
  });

  it('is nothing to an API key, which is used in many regions at once', () => {
    const watch = settled([NEW_YORK], KEY);
    watch.see(MONDAY, { actor: KEY, location: NEW_YORK });
    expect(isNothing(watch.see(MONDAY, { actor: KEY, location: SEATTLE }))).toBe(true);
  });

  it('is nothing between two familiar places: a telephone in a network of another country beside a laptop', () => {
    const watch = settled([BERLIN, NEW_YORK]);
    watch.see(MONDAY, { location: BERLIN });
    expect(isNothing(watch.see(MONDAY + MINUTE, { location: NEW_YORK }))).toBe(true);
    expect(isNothing(watch.see(MONDAY + 2 * MINUTE, { location: BERLIN }))).toBe(true);
  });

  it('is learned once it was told of', () => {
    const watch = settled([BERLIN]);
    for (const [index, location] of [BERLIN, NEW_YORK, BERLIN, NEW_YORK].entries()) {
      const found = watch.see(MONDAY + index * MINUTE, { location });
      expect(found).toHaveLength(index === 1 ? 1 : 0);
    }
    const later = MONDAY + 30 * DAY;
    watch.see(later, { location: BERLIN });
    expect(isNothing(watch.see(later + MINUTE, { location: NEW_YORK }))).toBe(true);
  });
});

it('looks at nothing whose place is unknown', () => {
  const watch = settled([BERLIN]);
  const before = structuredClone(watch.state);
  expect(isNothing(watch.see(MONDAY, {}))).toBe(true);
  expect(isNothing(watch.see(MONDAY, { location: { country: 'nowhere' } }))).toBe(true);
  expect(watch.state).toEqual(before);
});

it('stays below 4 KB whatever rows say', () => {
  const watch = new Watch(geography, { quietHours: 0, historyUses: 1, historyDays: 0 });
  for (const [index, country] of countryCodes().entries())
    watch.see(MONDAY + index * DAY, {
      location: { country, latitude: -89.999999999999, longitude: 123.45678901234567 },
    });
  expect(watch.bytes()).toBeLessThan(4_096);
  expect(geography.thresholds.parse({})).toEqual(geography.thresholds.parse({ maxSpeedKmh: 1_000 }));
});
