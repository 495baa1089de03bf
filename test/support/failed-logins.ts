import type { Observation } from '../../core/anomaly/observation.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';

type Row = Partial<Omit<Observation, 'id' | 'at'>>;

const ANONYMOUS = { type: 'anonymous', id: '-' } as const;

/** The row of a failed login, as it is written at once. */
export function failedLogin(user: string, ip: string, reason = 'wrong_password'): Row {
  return {
    actor: ANONYMOUS,
    action: 'authentication.failed',
    result: 'denied',
    entity: { type: 'user', id: user },
    ip,
    detail: { reason },
  };
}

/** The row of its repeats, which comes when the minute is over. */
export function repeatedLogins(user: string, ip: string, repeats: number, minute: number): Row {
  return {
    ...failedLogin(user, '-'),
    actor: { type: 'system', id: 'tally' },
    entity: { type: 'workspace', id: 'ws_1' },
    detail: {
      reason: 'wrong_password',
      userId: user,
      sourceIp: ip,
      repeats: String(repeats),
      minute: timestamp(minute),
    },
  };
}

/** The row of a minute's addresses beyond those that have rows of their own. */
export function manySources(sources: number, failures: number, minute: number): Row {
  return {
    ...repeatedLogins('-', '-', 1, minute),
    detail: {
      reason: 'many_sources',
      otherSources: String(sources),
      failures: String(failures),
      minute: timestamp(minute),
    },
  };
}

/** The row of a login that is complete. */
export function completedLogin(user: string, ip: string, method = 'password'): Row {
  return {
    actor: { type: 'user', id: user },
    action: 'authentication.succeeded',
    entity: { type: 'session', id: 'ses_1' },
    ip,
    detail: { method, client: 'browser' },
  };
}
