import { ACCESS_TOKEN_SECONDS } from '../../../core/identity/access-token.ts';
import { DEVICE_SECONDS } from '../../../core/identity/known-device.ts';
import type { HttpRequest } from './request.ts';

/**
 * The cookies of a browser. `__Host-` binds them to this very host, over TLS, for all paths (RFC 6265bis section 4.1.3);
 * no script can read them, and no other site can have them sent.
 */
const NAMES = {
  access: '__Host-lockzero_access',
  refresh: '__Host-lockzero_refresh',
  /** That somebody has logged in here before, see `known-device.ts`. */
  device: '__Host-lockzero_device',
} as const;

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

export function readCookie(request: HttpRequest, cookie: keyof typeof NAMES): string | undefined {
  const prefix = `${NAMES[cookie]}=`;
  const pairs = (request.header('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
}

/** The cookies that carry a session. `refreshSeconds`: how long the session can last at most. */
export function sessionCookies(tokens: {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly refreshSeconds: number;
}): string[] {
  return [
    // Gone a moment before the token is over, so that a browser never shows one that is.
    cookie('access', tokens.accessToken, ACCESS_TOKEN_SECONDS - 5),
    cookie('refresh', tokens.refreshToken, tokens.refreshSeconds),
  ];
}

export function deviceCookie(deviceToken: string): string {
  return cookie('device', deviceToken, DEVICE_SECONDS);
}

/** Makes a browser forget its session. That it is known stays. */
export function clearedCookies(): string[] {
  return [cookie('access', '', 0), cookie('refresh', '', 0)];
}

function cookie(name: keyof typeof NAMES, value: string, seconds: number): string {
  return `${NAMES[name]}=${value}; Max-Age=${Math.max(0, Math.floor(seconds))}; ${ATTRIBUTES}`;
}
