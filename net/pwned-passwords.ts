import type { BreachedPasswords } from '../core/identity/breached-passwords.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { readBody } from './read-body.ts';

const TIMEOUT_MS = 1_500;
/** A padded range has about 80 KB. */
const MAX_BYTES = 1024 * 1024;

/**
 * The `BreachedPasswords` port on Have I Been Pwned's range search, padded, so that the size of an encrypted answer
 * does not tell the prefix (Have I Been Pwned, API v3, "Searching by range" and "Introducing padding").
 *
 * @param baseUrl without a slash at its end.
 * @param timeoutMs for the whole answer.
 */
export function createPwnedPasswords(
  baseUrl = 'https://api.pwnedpasswords.com',
  fetchFn: typeof fetch = fetch,
  timeoutMs = TIMEOUT_MS,
): BreachedPasswords {
  return {
    async range(prefix) {
      if (!/^[0-9A-F]{5}$/.test(prefix)) throw new Error('A range is named by 5 upper-case hex digits.');
      try {
        const response = await fetchFn(`${baseUrl}/range/${prefix}`, {
          headers: { 'Add-Padding': 'true', 'User-Agent': 'lockzero' },
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        });
        return parseRange(await readText(response));
      } catch (cause) {
        throw unavailable('The search for breached passwords does not answer right now. Try again.', cause);
      }
    },
  };
}

async function readText(response: Response): Promise<string> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The range search answered with status ${response.status}.`);
  }
  return (await readBody(response, MAX_BYTES)).toString('latin1');
}

/**
 * Reads lines of `SUFFIX:COUNT`. Strict, because a page that some proxy put in the way must not pass for "never
 * seen": an empty answer is refused, too, as a padded one never is.
 */
function parseRange(text: string): ReadonlyMap<string, number> {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const counts = new Map(lines.map(parseLine));
  if (counts.size === lines.length) return counts;
  throw new Error('The range search named a suffix twice.');
}

function parseLine(line: string): readonly [suffix: string, count: number] {
  const [, suffix, count] = /^([0-9A-F]{35}):(\d{1,15})$/.exec(line) ?? [];
  if (suffix !== undefined && count !== undefined) return [suffix, Number(count)];
  throw new Error('The range search answered with a line that is not SUFFIX:COUNT.');
}
