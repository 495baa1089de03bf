import { isRedirectUri } from '../../../core/oauth/clients.ts';

it.each([
  'http://127.0.0.1/callback',
  'http://127.0.0.1:80/callback',
  'http://127.0.0.1:1/callback',
  'http://127.0.0.1:65535/callback',
  'http://[::1]/callback',
  'http://[::1]:51004/callback',
])('I6 RFC 8252 section 7.3: a code may go to %s, on any port of a loopback address', (uri) => {
  expect(isRedirectUri(uri)).toBe(true);
});

it.each([
  ['a name that may resolve elsewhere', 'http://localhost:51004/callback'],
  ['a name that only begins like it', 'http://127.0.0.1.example.com/callback'],
  ['user information', 'http://127.0.0.1:51004@example.com/callback'],
  ['user information before the address', 'http://me@127.0.0.1:51004/callback'],
  ['another loopback address', 'http://127.0.0.2:51004/callback'],
  ['the address in another notation', 'http://2130706433/callback'],
  ['the address shortened', 'http://127.1/callback'],
  ['the IPv6 address written out', 'http://[0:0:0:0:0:0:0:1]/callback'],
  ['IPv4 in IPv6', 'http://[::ffff:127.0.0.1]/callback'],
  ['port 0', 'http://127.0.0.1:0/callback'],
  ['a port beyond all', 'http://127.0.0.1:99999/callback'],
  ['a port with a leading zero', 'http://127.0.0.1:080/callback'],
  ['an empty port', 'http://127.0.0.1:/callback'],
  ['TLS', 'https://127.0.0.1/callback'],
  ['capitals', 'HTTP://127.0.0.1/callback'],
  ['capitals in the path', 'http://127.0.0.1/Callback'],
  ['a slash at the end', 'http://127.0.0.1/callback/'],
  ['another path', 'http://127.0.0.1/callback2'],
  ['a longer path', 'http://127.0.0.1/callback/..'],
  ['a path that resolves to it', 'http://127.0.0.1/x/../callback'],
  ['an escaped character', 'http://127.0.0.1/%63allback'],
  ['a query', 'http://127.0.0.1/callback?x=1'],
  ['a fragment', 'http://127.0.0.1/callback#x'],
  ['an empty fragment', 'http://127.0.0.1/callback#'],
  ['backslashes', 'http:\\\\127.0.0.1\\callback'],
  ['a line break', 'http://127.0.0.1/callback\n'],
  ['a space', ' http://127.0.0.1/callback'],
  ['a scheme of its own', 'lockzero://127.0.0.1/callback'],
])(
  'I6 RFC 9700 section 2.1: redirect URIs are compared exactly, so nothing goes to one with %s',
  (_, uri) => {
    expect(isRedirectUri(uri)).toBe(false);
  },
);
