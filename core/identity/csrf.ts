import type { DerivedKeys } from '../crypto/derived-keys.ts';
import { isKeyedTag, keyedTag } from './keyed-tag.ts';

/**
 * The token that a browser sends back in `X-CSRF-Token` with every mutation: a tag of its session, so that it neither
 * needs storing nor fits another session (OWASP CSRF Prevention Cheat Sheet, "signed double-submit").
 */
export function csrfToken(keys: DerivedKeys, sessionId: string): Promise<string> {
  return keyedTag(keys, 'csrf', sessionId);
}

export async function isCsrfToken(
  keys: DerivedKeys,
  sessionId: string,
  token: string | undefined,
): Promise<boolean> {
  return token !== undefined && isKeyedTag(keys, 'csrf', sessionId, token);
}
