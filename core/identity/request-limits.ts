import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { AttemptRecords } from './bookkeeping.ts';
import { networkOf } from './network.ts';

const MINUTE_MS = 60_000;

/**
 * How many requests a minute the sensitive routes take, far below what the edge lets an address send: from one
 * address, and for one account (or session, or client) wherever they come from.
 */
const LIMITS = {
  login: { ip: 30, account: 20 },
  mfa: { ip: 30, account: 20 },
  step_up: { ip: 30, account: 20 },
  password: { ip: 10, account: 5 },
  reset_request: { ip: 10, account: 3 },
  reset: { ip: 10, account: 10 },
  invitation: { ip: 10, account: 10 },
  invite: { ip: 30, account: 3 },
  mfa_setup: { ip: 30, account: 5 },
  // Whoever guesses at the setup token from elsewhere must not keep the operator from using it.
  setup: { ip: 10, account: undefined },
  token: { ip: 60, account: 30 },
  // Of a workspace: each goes to an address of its choice, which may be anybody's.
  webhook_test: { ip: 30, account: 5 },
} as const;

export type LimitedRoute = keyof typeof LIMITS;

/** How many requests a minute a sensitive route takes. */
export function limitsOf(route: LimitedRoute): { readonly ip: number; readonly account: number | undefined } {
  return LIMITS[route];
}

interface Parts {
  readonly bookkeeping: AttemptRecords;
  readonly clock: Clock;
}

/**
 * Counts a request against its limits, atomically across all instances, and refuses it over them.
 *
 * @param account whose account, session or token it concerns, where that is known: hashes and ids, never what is secret.
 * @throws VaultError `rate_limited` with the seconds until the next minute.
 */
export async function limitRequests(
  { bookkeeping, clock }: Parts,
  route: LimitedRoute,
  ip: string,
  account?: string,
): Promise<void> {
  const now = clock.now();
  const minute = Math.floor(now / MINUTE_MS);
  const [fromAddress, ofAccount] = await Promise.all([
    bookkeeping.countRequest(`${route}#ip#${networkOf(ip)}`, minute),
    account === undefined ? 0 : bookkeeping.countRequest(`${route}#account#${account}`, minute),
  ]);
  const limit = LIMITS[route];
  if (fromAddress <= limit.ip && ofAccount <= (limit.account ?? 0)) return;
  const retryAfter = Math.max(1, Math.ceil(((minute + 1) * MINUTE_MS - now) / 1000));
  throw new VaultError(
    'rate_limited',
    `Too many requests of this kind. Try again in ${retryAfter} seconds.`,
    {
      retryAfter,
    },
  );
}
