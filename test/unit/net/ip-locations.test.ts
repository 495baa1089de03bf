import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locations } from '../../../core/anomaly/locations.ts';
import { openIpLocations } from '../../../net/ip-locations.ts';
import { mmdb } from '../../support/mmdb.ts';

const directory = mkdtempSync(join(tmpdir(), 'lockzero-mmdb-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
function file(content: Uint8Array): string {
  files += 1;
  const path = join(directory, `${files}.mmdb`);
  writeFileSync(path, content);
  return path;
}

const BERLIN = { latitude: 52.5, longitude: 13.4, accuracy_radius: 20 };

describe('a database of cities', () => {
  let locations: Locations;
  beforeAll(async () => {
    locations = await openIpLocations(
      file(
        mmdb({
          networks: {
            '203.0.113.0/25': { country: { iso_code: 'DE' }, location: BERLIN },
            '203.0.113.128/25': { country: { iso_code: 'US' }, location: { latitude: 0, longitude: -97.8 } },
            '198.51.100.0/24': {
              country: { iso_code: 'AU' },
              location: { ...BERLIN, accuracy_radius: 1_000 },
            },
            '192.0.2.0/26': { country: { iso_code: 'US' }, traits: { is_anycast: true } },
            '192.0.2.64/26': { registered_country: { iso_code: 'US' } },
            '192.0.2.128/26': { country: { iso_code: 'xx' } },
            '192.0.2.192/26': { country: { iso_code: 'FR' }, location: { latitude: 1_000.5, longitude: 2 } },
            '2001:db8::/32': { country: { iso_code: 'FR' } },
          },
        }),
      ),
    );
  });

  it.each([
    ['203.0.113.7', { country: 'DE', latitude: 52.5, longitude: 13.4 }],
    ['203.0.113.200', { country: 'US', latitude: 0, longitude: -97.8 }],
    ['2001:db8::1', { country: 'FR' }],
    ['2001:DB8:0:1::2', { country: 'FR' }],
  ])('finds %s', (ip, location) => {
    expect(locations.of(ip)).toEqual(location);
    expect(locations.of(ip)).toEqual(location);
  });

  it('takes no coordinates that are a guess or lie nowhere', () => {
    expect(locations.of('198.51.100.1')).toEqual({ country: 'AU' });
    expect(locations.of('192.0.2.200')).toEqual({ country: 'FR' });
  });

  it.each([
    ['an address that it does not have', '8.8.8.8'],
    ['an anycast address', '192.0.2.1'],
    ['an address of which only the registration is known', '192.0.2.65'],
    ['a country that is none', '192.0.2.129'],
    ['the vault itself', '-'],
    ['nothing', ''],
    ['what is no address', '203.0.113.999'],
    ['an address with a zone', '2001:db8::1%eth0'],
    ['a name', 'example.com'],
  ])('knows nothing of %s', (_, ip) => {
    expect(locations.of(ip)).toBeUndefined();
  });

  it('goes on however many addresses it is asked for', () => {
    for (let index = 0; index < 10_001; index += 1) locations.of(`10.1.${index >> 8}.${index & 255}`);
    expect(locations.of('203.0.113.7')).toMatchObject({ country: 'DE' });
  });
});

it('does not take an IPv6 address for one of IPv4', async () => {
  const networks = { '32.1.13.0/24': { country: { iso_code: 'DE' } } };
  const locations = await openIpLocations(file(mmdb({ ipVersion: 4, networks })));
  expect(locations.of('32.1.13.184')).toEqual({ country: 'DE' });
  expect(locations.of('2001:db8::1')).toBeUndefined();
});

it('knows nothing of what lies in a damaged part of the file, and the rest as before', async () => {
  const networks = {
    '203.0.113.0/24': { country: { iso_code: 'DE' } },
    '198.51.100.0/24': { country: { iso_code: 'FR' } },
  };
  const content = mmdb({ networks });
  // An extended type that does not exist, in place of the second network's map.
  content.writeUInt16BE(0, content.lastIndexOf('country') - 2);
  const locations = await openIpLocations(file(content));
  expect(locations.of('203.0.113.1')).toEqual({ country: 'DE' });
  expect(locations.of('198.51.100.1')).toBeUndefined();
});

it.each([
  ['is not there', () => join(directory, 'none.mmdb')],
  ['is something else', () => file(Buffer.from('{"not": "a database"}'))],
  ['is empty', () => file(Buffer.alloc(0))],
])('refuses a file that %s', async (_, path) => {
  await expect(openIpLocations(path())).rejects.toThrow('is no database of locations that can be read');
});
