import { isIP } from 'node:net';
import { type CityResponse, open, type Reader } from 'maxmind';
import type { Locations } from '../core/anomaly/locations.ts';
import type { Location } from '../core/anomaly/observation.ts';

const MAX_REMEMBERED = 10_000;
/** Coordinates that may be this many kilometres off say no more than the country does. */
const MAX_ACCURACY_KM = 500;
const COUNTRY = /^[A-Z]{2}$/;

/**
 * The `Locations` port on a file in the MaxMind DB format 2.0, such as GeoLite2 Country or City. The file is read once,
 * into memory.
 *
 * @throws Error where the file cannot be read or is no such database.
 */
export async function openIpLocations(file: string): Promise<Locations> {
  const reader = await openDatabase(file);
  const remembered = new Map<string, Location | undefined>();
  return {
    of(ip) {
      if (remembered.has(ip)) return remembered.get(ip);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      const location = lookUp(reader, ip);
      remembered.set(ip, location);
      return location;
    },
  };
}

/** A country's record is that of a city with less in it. */
async function openDatabase(file: string): Promise<Reader<CityResponse>> {
  try {
    return await open<CityResponse>(file);
  } catch (cause) {
    throw new Error(`The file ${file} is no database of locations that can be read.`, { cause });
  }
}

function lookUp(reader: Reader<CityResponse>, ip: string): Location | undefined {
  const family = isIP(ip);
  // With a zone it is an address of one link only; a database of IPv4 would take half of an IPv6 address for one.
  if (family === 0 || ip.includes('%') || (family === 6 && reader.metadata.ipVersion === 4)) return undefined;
  try {
    return locationOf(reader.get(ip));
  } catch {
    // A damaged part of the file: what lies there is unknown, and the rest is as good as before.
    return undefined;
  }
}

function locationOf(found: CityResponse | null): Location | undefined {
  const country = found?.country?.iso_code;
  // An anycast address is in many places at once.
  if (country === undefined || !COUNTRY.test(country) || found?.traits?.is_anycast) return undefined;
  const { latitude, longitude, accuracy_radius: accuracyKm = 0 } = found?.location ?? {};
  if (!isWithin(90, latitude) || !isWithin(180, longitude) || accuracyKm > MAX_ACCURACY_KM)
    return { country };
  return { country, latitude, longitude };
}

function isWithin(bound: number, degrees: number | undefined): degrees is number {
  return typeof degrees === 'number' && Math.abs(degrees) <= bound;
}
