import { circleOf, countryCodes, countryName } from '../../../core/anomaly/countries.ts';
import { distanceKm, leastDistanceKm, type Point } from '../../../core/anomaly/distance.ts';

const BERLIN = { latitude: 52.52, longitude: 13.405 };
const SYDNEY = { latitude: -33.87, longitude: 151.21 };
const NEW_YORK = { latitude: 40.71, longitude: -74.01 };

describe('the distance of two points', () => {
  it.each([
    ['Berlin and New York', BERLIN, NEW_YORK, 6_385],
    ['Berlin and Sydney', BERLIN, SYDNEY, 16_090],
    ['a point and itself', BERLIN, BERLIN, 0],
    ['the poles', { latitude: 90, longitude: 0 }, { latitude: -90, longitude: 77 }, 20_015],
    [
      'two sides of the date line',
      { latitude: 0, longitude: 179.5 },
      { latitude: 0, longitude: -179.5 },
      111,
    ],
    ['opposite points', { latitude: 10, longitude: 20 }, { latitude: -10, longitude: -160 }, 20_015],
  ])('is right for %s', (_, one, other, km) => {
    expect(Math.abs(distanceKm(one, other) - km)).toBeLessThan(Math.max(1, km * 0.006));
    expect(distanceKm(other, one)).toBeCloseTo(distanceKm(one, other), 6);
  });
});

const circle = (code: string) => {
  const found = circleOf(code);
  if (found === undefined) throw new Error(`${code} is unknown.`);
  return found;
};

describe('the circle of a country', () => {
  it.each<[string, Point[]]>([
    ['DE', [BERLIN, { latitude: 47.4, longitude: 10.3 }, { latitude: 51.05, longitude: 5.9 }]],
    ['US', [NEW_YORK, { latitude: 21.3, longitude: -157.9 }, { latitude: 64.8, longitude: -147.7 }]],
    [
      'RU',
      [
        { latitude: 54.7, longitude: 20.5 },
        { latitude: 43.1, longitude: 131.9 },
      ],
    ],
    [
      'CL',
      [
        { latitude: -18.5, longitude: -70.3 },
        { latitude: -53.2, longitude: -70.9 },
      ],
    ],
    ['AU', [SYDNEY, { latitude: -31.95, longitude: 115.86 }]],
    [
      'FJ',
      [
        { latitude: -18.14, longitude: 178.44 },
        { latitude: -16.8, longitude: -179.9 },
      ],
    ],
    [
      'PT',
      [
        { latitude: 38.7, longitude: -9.1 },
        { latitude: 37.7, longitude: -25.7 },
      ],
    ],
  ])('of %s holds its far cities', (code, cities) => {
    const { radiusKm, ...middle } = circle(code);
    for (const city of cities) expect(distanceKm(middle, city)).toBeLessThanOrEqual(radiusKm);
  });

  it.each([
    ['DE', 'FR'],
    ['US', 'CA'],
    ['US', 'MX'],
    ['RU', 'FI'],
    ['CN', 'IN'],
    ['CL', 'AR'],
    ['GB', 'IE'],
    ['ES', 'PT'],
    ['NO', 'SE'],
    ['BR', 'CO'],
    ['TR', 'GR'],
  ])('touches those of its neighbours: %s and %s', (one, other) => {
    expect(leastDistanceKm(circle(one), circle(other))).toBe(0);
  });

  it('leaves far countries far apart', () => {
    expect(leastDistanceKm(circle('DE'), circle('BR'))).toBeGreaterThan(5_000);
    expect(leastDistanceKm(circle('GB'), circle('US'))).toBeGreaterThan(2_000);
    expect(leastDistanceKm(circle('JP'), circle('DE'))).toBeGreaterThan(6_000);
  });

  it('is known for every country, and lies on the globe', () => {
    expect(countryCodes()).toHaveLength(250);
    for (const code of countryCodes()) {
      expect(code).toMatch(/^[A-Z]{2}$/);
      const { latitude, longitude, radiusKm } = circle(code);
      expect(Math.abs(latitude)).toBeLessThanOrEqual(90);
      expect(Math.abs(longitude)).toBeLessThanOrEqual(180);
      expect(radiusKm).toBeGreaterThan(10);
      expect(countryName(code)).not.toBe(`${code} (${code})`);
    }
    expect(countryName('DE')).toBe('Germany (DE)');
  });

  it('is not known for what is no country', () => {
    expect(circleOf('XX')).toBeUndefined();
    expect(countryName('XX')).toBe('an unknown country (XX)');
  });
});
