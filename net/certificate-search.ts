import {
  type CertificateLog,
  type LoggedCertificate,
  parseCertificateSearch,
} from '../core/certificates/certificate-log.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { readBody } from './read-body.ts';

/** The public search takes its time; a look at a domain must end before the function does. */
const TIMEOUT_MS = 40_000;
/** An entry has some 400 bytes, and a certificate two of them. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * The `CertificateLog` port on a search with the JSON answers of crt.sh. Asks for the domain itself and, with `%.`, for
 * all names below it: neither search includes the other for sure.
 *
 * @param timeoutMs for each whole answer.
 */
export function createCertificateSearch(
  baseUrl = 'https://crt.sh/',
  fetchFn: typeof fetch = fetch,
  timeoutMs = TIMEOUT_MS,
): CertificateLog {
  const search = async (query: string): Promise<LoggedCertificate[]> => {
    const url = new URL(baseUrl);
    for (const [name, value] of Object.entries({ q: query, output: 'json', exclude: 'expired' }))
      url.searchParams.set(name, value);
    try {
      const response = await fetchFn(url, {
        headers: { Accept: 'application/json', 'User-Agent': 'lockzero' },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body = await readBody(response, MAX_ANSWER_BYTES);
      if (response.status !== 200) throw new Error(`The search answered with status ${response.status}.`);
      return parseCertificateSearch(body.toString('utf8'));
    } catch (cause) {
      throw unavailable('The certificate search does not answer right now. Try again.', cause);
    }
  };
  return {
    issuedFor: async (domain) => (await Promise.all([search(domain), search(`%.${domain}`)])).flat(),
  };
}
