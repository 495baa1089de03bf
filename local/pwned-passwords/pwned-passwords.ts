import { createHash } from 'node:crypto';
import type { StandIn, WireResponse } from '../stand-in.ts';
import { NOTORIOUS_PASSWORDS } from './notorious-passwords.ts';

const PREFIX_LENGTH = 5;
/** At least as many lines has a padded answer of the service. */
const PADDED_LINES = 800;

/**
 * A stand-in for the range search of Have I Been Pwned's password service: `GET /range/<5 hex digits>` answers
 * `SUFFIX:COUNT` lines. It knows a dozen notorious passwords, and the same question has the same answer for ever.
 */
export function createPwnedPasswordsService(): StandIn {
  const known = NOTORIOUS_PASSWORDS.map(([password, count]) => ({ hash: sha1(password), count }));
  return async ({ method, path, headers }) => {
    const [, range] = /^\/range\/([^/]*)$/.exec(path) ?? [];
    if (method !== 'GET' || range === undefined) return plainText(404, 'This stand-in has GET /range only.');
    if (!/^[0-9a-f]{5}$/i.test(range)) return plainText(400, 'The hash prefix must be 5 hex digits.');
    const prefix = range.toUpperCase();
    const lines = known
      .filter(({ hash }) => hash.startsWith(prefix))
      .map(({ hash, count }) => `${hash.slice(PREFIX_LENGTH)}:${count}`);
    const padding =
      headers['add-padding'] === 'true' ? paddingLines(prefix, PADDED_LINES - lines.length) : [];
    return plainText(200, [...lines, ...padding].sort().join('\r\n'));
  };
}

/** Suffixes that stand for no password, and the count 0, which says so. */
function paddingLines(prefix: string, length: number): string[] {
  return Array.from({ length }, (_, index) => `${sha1(`${prefix} ${index}`).slice(PREFIX_LENGTH)}:0`);
}

function sha1(text: string): string {
  return createHash('sha1').update(text, 'utf8').digest('hex').toUpperCase();
}

function plainText(status: number, body: string): WireResponse {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}
