import { invalid } from '../kernel/errors.ts';

/** What the deployment allows of receivers. */
export interface ReceiverRules {
  /** For the laptop alone: private addresses, and without TLS. */
  readonly allowPrivate: boolean;
}

/** HTTPS's own port, and those that any program may listen on: the intakes of Splunk (8088) and Elastic (9243) are there. */
const HTTPS_PORT = 443;
const FIRST_USER_PORT = 1_024;

/**
 * Reads the URL of a receiver as far as it can be judged without resolving its name: the sender checks the addresses
 * each time. A host that is an address is refused: certificates are for names, and so is this check.
 *
 * @throws VaultError `invalid_request`
 */
export function parseReceiverUrl(text: string, { allowPrivate }: ReceiverRules): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid('url', 'must be a URL such as https://siem.example.com/events');
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) {
    throw invalid('url', 'must begin with https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('url', 'must not contain a user name or a password: use "credential"');
  }
  if (url.hash !== '') throw invalid('url', 'must not have a fragment');
  if (allowPrivate) return url;
  if (!isPublicName(url.hostname)) {
    throw invalid('url', 'must name a host on the internet, such as siem.example.com, and not an address');
  }
  const port = url.port === '' ? HTTPS_PORT : Number(url.port);
  if (port !== HTTPS_PORT && port < FIRST_USER_PORT) {
    throw invalid('url', `must use port ${HTTPS_PORT}, or one from ${FIRST_USER_PORT}`);
  }
  return url;
}

/** A name of at least two labels whose last is no number: parsing has turned every spelling of an address into numbers. */
function isPublicName(hostname: string): boolean {
  const labels = hostname.replace(/\.$/, '').split('.');
  const last = labels.at(-1) ?? '';
  return labels.length >= 2 && /^[a-z][a-z0-9-]*$/.test(last) && !LOCAL_DOMAINS.has(last);
}

/** Top-level domains without hosts on the internet: RFC 2606, RFC 6761, RFC 6762, RFC 8375, and ICANN for `.internal`. */
const LOCAL_DOMAINS: ReadonlySet<string> = new Set([
  'localhost',
  'local',
  'internal',
  'invalid',
  'test',
  'onion',
  'arpa',
]);
