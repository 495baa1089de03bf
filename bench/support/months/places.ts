import type { Location } from '../../../core/anomaly/observation.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

export interface City extends Required<Location> {
  readonly name: string;
  /** Hours that the clocks are ahead of UTC in winter. */
  readonly offset: number;
  readonly summerTime?: 'eu' | 'us';
}

export const CITIES: readonly City[] = [
  city('Berlin', 'DE', 52.52, 13.4, 1, 'eu'),
  city('Vienna', 'AT', 48.21, 16.37, 1, 'eu'),
  city('London', 'GB', 51.51, -0.13, 0, 'eu'),
  city('Lisbon', 'PT', 38.72, -9.14, 0, 'eu'),
  city('Warsaw', 'PL', 52.23, 21.01, 1, 'eu'),
  city('New York', 'US', 40.71, -74.01, -5, 'us'),
  city('Austin', 'US', 30.27, -97.74, -6, 'us'),
  city('Seattle', 'US', 47.61, -122.33, -8, 'us'),
  city('São Paulo', 'BR', -23.55, -46.63, -3),
  city('Bengaluru', 'IN', 12.97, 77.59, 5.5),
  city('Singapore', 'SG', 1.35, 103.82, 8),
  city('Tokyo', 'JP', 35.68, 139.69, 9),
];

/** Where nobody of the companies lives or goes. */
export const FAR_CITIES: readonly City[] = [
  city('Lagos', 'NG', 6.52, 3.38, 1),
  city('Almaty', 'KZ', 43.24, 76.89, 5),
  city('Bogotá', 'CO', 4.71, -74.07, -5),
  city('Manila', 'PH', 14.6, 120.98, 8),
];

function city(
  name: string,
  country: string,
  latitude: number,
  longitude: number,
  offset: number,
  summerTime?: 'eu' | 'us',
): City {
  return { name, country, latitude, longitude, offset, ...(summerTime && { summerTime }) };
}

/** The start of a local day in UTC; summer time of 2026 and 2027 (last Sunday of March, second Sunday of March). */
export function localMidnight(day: number, { offset, summerTime }: City): number {
  const month = new Date(day).toISOString().slice(5, 10);
  const begins = summerTime === 'eu' ? '03-29' : '03-08';
  const ends = summerTime === 'eu' ? '10-25' : '11-01';
  const isSummer = summerTime !== undefined && month >= begins && month < ends;
  return day - (offset + (isSummer ? 1 : 0)) * HOUR;
}

/** Kilometres on a sphere (haversine). */
export function kilometres(from: City, to: City): number {
  const radians = Math.PI / 180;
  const dLatitude = (to.latitude - from.latitude) * radians;
  const dLongitude = (to.longitude - from.longitude) * radians;
  const half =
    Math.sin(dLatitude / 2) ** 2 +
    Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * Math.sin(dLongitude / 2) ** 2;
  return 12_742 * Math.asin(Math.sqrt(half));
}
