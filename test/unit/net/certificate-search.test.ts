import { issuerNames } from '../../../core/certificates/certificate-log.ts';
import { createCertificateSearch } from '../../../net/certificate-search.ts';

const UNAVAILABLE = { code: 'unavailable' };
const ENTRY = {
  issuer_ca_id: 1,
  issuer_name: 'C=US, O=Amazon, CN=Amazon RSA 2048 M02',
  common_name: 'example.com',
  name_value: 'example.com\n*.example.com\nexample.com',
  id: 12_345_678_901,
  entry_timestamp: null,
  not_before: '2026-01-01T00:00:00',
  not_after: '2026-04-01T00:00:00',
  serial_number: '00AB12',
};

let asked: URL[];
const searching = (answer: (url: URL) => Response | Promise<Response>, baseUrl?: string) => {
  asked = [];
  const fetchFn: typeof fetch = async (input) => {
    const url = new URL(String(input));
    asked.push(url);
    return answer(url);
  };
  return createCertificateSearch(baseUrl, fetchFn).issuedFor('example.com');
};
const json = (value: unknown) => new Response(JSON.stringify(value));

it('asks crt.sh for the domain and for what is below it, without what is expired', async () => {
  await searching(() => json([]));
  expect(asked.map(({ href }) => href)).toEqual([
    'https://crt.sh/?q=example.com&output=json&exclude=expired',
    'https://crt.sh/?q=%25.example.com&output=json&exclude=expired',
  ]);
});

it('asks elsewhere if told to, and keeps what that address has of its own', async () => {
  await searching(() => json([]), 'https://search.example.net/ct?key=1');
  expect(asked[0]?.href).toBe(
    'https://search.example.net/ct?key=1&q=example.com&output=json&exclude=expired',
  );
});

it('reads serial number, issuer and names', async () => {
  const isBelow = (url: URL) => url.searchParams.get('q')?.startsWith('%') === true;
  expect(await searching((url) => json(isBelow(url) ? [] : [ENTRY]))).toEqual([
    {
      serial: 'ab12',
      issuer: ENTRY.issuer_name,
      names: ['example.com', '*.example.com'],
      notBefore: ENTRY.not_before,
    },
  ]);
});

it.each<[string, () => Response]>([
  ['a page', () => new Response('<html>Bad gateway</html>')],
  ['nothing', () => new Response('')],
  ['no list', () => json({})],
  ['an entry without a serial number', () => json([{ ...ENTRY, serial_number: undefined }])],
  ['a serial number that is none', () => json([{ ...ENTRY, serial_number: '12 34' }])],
  ['an entry without an issuer', () => json([{ ...ENTRY, issuer_name: '' }])],
  ['status 404', () => new Response('[]', { status: 404 })],
  ['status 502', () => new Response('[]', { status: 502 })],
  ['more than 16 MiB', () => new Response(' '.repeat(16 * 1024 * 1024 + 1))],
])('an answer with %s is unavailable', async (_, answer) => {
  await expect(searching(answer)).rejects.toMatchObject(UNAVAILABLE);
});

it('one that does not answer in time, or cannot be reached, is unavailable', async () => {
  const hanging: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  const slow = createCertificateSearch(undefined, hanging, 10).issuedFor('example.com');
  await expect(slow).rejects.toMatchObject({ ...UNAVAILABLE, cause: { name: 'TimeoutError' } });
  const nowhere = createCertificateSearch('http://127.0.0.1:1').issuedFor('example.com');
  await expect(nowhere).rejects.toMatchObject(UNAVAILABLE);
});

it.each([
  ["C=US, O=Let's Encrypt, CN=R11", ["let's encrypt", 'r11']],
  ['C=US, O="CLOUDFLARE, INC.", CN=Cloudflare TLS', ['cloudflare, inc.', 'cloudflare tls']],
  ['CN=a, OU=O=Amazon', ['a']],
  ['CN=a, OU="x, O=Amazon"', ['a']],
  ['C=US', []],
])('the names in %s are %j', (distinguishedName, names) => {
  expect(issuerNames(distinguishedName)).toEqual(names);
});
