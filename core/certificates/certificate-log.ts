import * as z from 'zod';
import { parseJson } from '../kernel/parse-json.ts';

/** A certificate that is in a log of Certificate Transparency (RFC 9162), as a search of the logs shows it. */
export interface LoggedCertificate {
  /** Lower-case hex, without leading zeros. With the issuer, it names the certificate. */
  readonly serial: string;
  /** The issuer's distinguished name, such as `C=US, O=Let's Encrypt, CN=R11`. */
  readonly issuer: string;
  /** The names that it is good for. */
  readonly names: readonly string[];
  /** As the search writes it. */
  readonly notBefore: string;
}

/**
 * A search of the logs.
 *
 * @throws VaultError `unavailable` when there is no answer, or none that can be read.
 */
export interface CertificateLog {
  /** The certificates not yet expired for a domain and all names below it. */
  issuedFor(domain: string): Promise<readonly LoggedCertificate[]>;
}

const MAX_SERIAL = 80;
const MAX_ISSUER = 500;

const searchSchema = z.array(
  z.object({
    serial_number: z.string().regex(/^[0-9A-Fa-f]{1,80}$/),
    issuer_name: z.string().min(1),
    common_name: z.string().nullish(),
    name_value: z.string().nullish(),
    not_before: z.string().nullish(),
  }),
);

/**
 * Reads the JSON answer of crt.sh: one entry for each certificate, and one for its precertificate, which has the same
 * issuer and serial number.
 *
 * @throws Error when it is none.
 */
export function parseCertificateSearch(text: string): LoggedCertificate[] {
  return searchSchema.parse(parseJson(text)).map((entry) => ({
    serial: entry.serial_number
      .toLowerCase()
      .replace(/^0+(?=.)/, '')
      .slice(0, MAX_SERIAL),
    issuer: entry.issuer_name.slice(0, MAX_ISSUER).toWellFormed(),
    names: [...new Set((entry.name_value ?? entry.common_name ?? '').split('\n'))].filter(
      (name) => name !== '',
    ),
    notBefore: entry.not_before ?? '',
  }));
}

/** The organization and the common name in a distinguished name, in lower case (RFC 4514, as crt.sh writes it). */
export function issuerNames(distinguishedName: string): readonly string[] {
  // All of them, so that nothing within quotes passes for an attribute of its own.
  const attributes = distinguishedName.matchAll(/(?:^|,\s*)([A-Za-z0-9.]+)=("(?:[^"]|"")*"|[^,]*)/g);
  return [...attributes].flatMap(([, type = '', value = '']) => {
    if (type !== 'O' && type !== 'CN') return [];
    return value
      .replace(/^"(.*)"$/s, '$1')
      .replaceAll('""', '"')
      .trim()
      .toLowerCase();
  });
}
