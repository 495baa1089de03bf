import type { Answer, Exchange, Sent } from './evidence.ts';

/** Routes that look at no API key and at no access token. Their callers are known by what they send, or not at all. */
const PUBLIC =
  /^\/(setup|invitations\/accept|auth\/(login|mfa|refresh|password\/forgot|password\/reset)|oauth\/.+)$/;
/** Machines' own: takes no cookies. */
const BEARER_ONLY = /^\/namespaces\/[^/]+\/secrets\/[^/]+\/value$/;

export const COOKIES = {
  access: '__Host-lockzero_access',
  refresh: '__Host-lockzero_refresh',
  device: '__Host-lockzero_device',
} as const;

export function isPublic({ path }: Sent): boolean {
  return PUBLIC.test(path);
}

export function cookieOf({ headers }: Pick<Sent, 'headers'>, name: keyof typeof COOKIES): string | undefined {
  const pairs = (headers['cookie'] ?? '').split('; ');
  const prefix = `${COOKIES[name]}=`;
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
}

/** The value of a cookie that an answer sets. */
export function setCookieOf({ cookies }: Answer, name: keyof typeof COOKIES): string | undefined {
  const prefix = `${COOKIES[name]}=`;
  const value = cookies
    .find((cookie) => cookie.startsWith(prefix))
    ?.slice(prefix.length)
    .split(';')[0];
  return value === '' ? undefined : value;
}

/** What a request shows for itself: an API key, an access token, or, to look at a session, a refresh token. */
export function tokenOf({ sent }: Pick<Exchange, 'sent'>): string | undefined {
  if (isPublic(sent)) return undefined;
  const header = sent.headers['authorization'];
  if (header !== undefined) return /^Bearer (\S+)$/.exec(header)?.[1];
  if (BEARER_ONLY.test(sent.path)) return undefined;
  const access = cookieOf(sent, 'access');
  if (access !== undefined || sent.path !== '/auth/session' || sent.method !== 'GET') return access;
  return cookieOf(sent, 'refresh');
}

/** The refresh token that a request wants to exchange. */
export function refreshTokenOf({ sent }: Pick<Exchange, 'sent'>): string | undefined {
  if (sent.path === '/auth/refresh') return cookieOf(sent, 'refresh');
  return sent.path === '/oauth/token' ? sent.form?.['refresh_token'] : undefined;
}

/** Whether a request is one that a browser sends by itself, with the cookies that it has, if any page asks for it. */
export function isCookieMutation({ method, headers }: Sent): boolean {
  return method !== 'GET' && headers['authorization'] === undefined;
}
