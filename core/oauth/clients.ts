/** A program that people can let act for them (RFC 6749 section 2). */
export interface OAuthClient {
  readonly id: string;
  /** As people know it. */
  readonly name: string;
}

/**
 * The programs that come with the vault. They run on people's own machines and can keep no secret, so they are public
 * clients, and get their code at a loopback address (RFC 8252). There is no registration of others.
 */
export const OAUTH_CLIENTS: readonly OAuthClient[] = [
  { id: 'lockzero-cli', name: 'Lockzero CLI' },
  { id: 'lockzero-sdk', name: 'Lockzero SDK' },
];

export function findClient(id: string | undefined): OAuthClient | undefined {
  return OAUTH_CLIENTS.find((client) => client.id === id);
}

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|\[::1\])(?::([1-9]\d{0,4}))?\/callback$/;

/**
 * Whether a code may be sent there: `http://127.0.0.1/callback` or `http://[::1]/callback` to the letter, but for the
 * port, which such a program only learns when it runs (RFC 8252 section 7.3). The raw text is compared, not a parsed
 * URL, so that no other spelling passes; `localhost` may resolve to somebody else (section 8.3).
 */
export function isRedirectUri(uri: string): boolean {
  const match = LOOPBACK.exec(uri);
  return match !== null && Number(match[1] ?? 80) <= 65_535;
}
