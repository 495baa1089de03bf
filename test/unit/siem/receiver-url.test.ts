import { parseReceiverUrl } from '../../../core/siem/receiver-url.ts';

const parse = (text: string, allowPrivate = false) => parseReceiverUrl(text, { allowPrivate });

it.each([
  ['https://siem.example.com/events', 'https://siem.example.com/events'],
  ['HTTPS://SIEM.Example.COM:443', 'https://siem.example.com/'],
  ['https://http-inputs-acme.splunkcloud.com:8088/services/collector/event', undefined],
  ['https://acme.es.io:9243/logs-lockzero-default/_bulk', undefined],
  ['https://siem.example.com:8443/a?b=c', undefined],
  ['https://siem.example.com:1024/', undefined],
  ['https://siem.example.com./', undefined],
  ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
  ['https://siem.example.xn--p1ai/', undefined],
])('%s is taken', (text, href = text) => {
  expect(parse(text).href).toBe(href);
});

it.each([
  ['no URL', 'siem.example.com'],
  ['relative', '/events'],
  ['without TLS', 'http://siem.example.com/'],
  ['for something else', 'javascript:alert(1)'],
  ['with a password', 'https://user:password@siem.example.com/'],
  ['with a user', 'https://token@siem.example.com/'],
  ['with a fragment', 'https://siem.example.com/#top'],
  ['for an address', 'https://1.1.1.1/'],
  ['for an address in hex', 'https://0x01010101/'],
  ['for an address in octal', 'https://0251.0376.0251.0376/'],
  ['for an address of two parts', 'https://127.1/'],
  ['for an address with a dot at its end', 'https://127.0.0.1./'],
  ['for an address in full width', 'https://①②⑦.0.0.1/'],
  ['for an IPv6 address', 'https://[2606:4700:4700::1111]/'],
  ['for this machine', 'https://localhost/'],
  ['for this machine, by a name below', 'https://vault.localhost/'],
  ['for this machine, with a dot', 'https://localhost./'],
  ['for a name of one label', 'https://siem/'],
  ['for the metadata of another cloud', 'https://metadata.google.internal/'],
  ['for a name in the neighbourhood', 'https://printer.local/'],
  ['for a name at home', 'https://nas.home.arpa/'],
  ['on the port of SSH', 'https://siem.example.com:22/'],
  ['on the port of SMTP', 'https://siem.example.com:25/'],
  ['on the port of HTTP', 'https://siem.example.com:80/'],
  ['on the last port of the system', 'https://siem.example.com:1023/'],
])('a URL %s is refused: %s', (_, text) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: 'invalid_request', errors: [expect.objectContaining({ path: 'url' })] }),
  );
});

it('on a laptop, everything is taken that a request can go to', () => {
  for (const text of ['http://localhost:8088/x', 'https://127.0.0.1/', 'http://[::1]:81/', 'https://siem/']) {
    expect(parse(text, true).href).toBe(text);
  }
  for (const text of ['ftp://localhost/', 'http://a:b@localhost/', 'http://localhost/#x', 'localhost']) {
    expect(() => parse(text, true)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  }
});
