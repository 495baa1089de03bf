import { cookieOf, setCookieOf, tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, isSuccess, jsonOf, nameOf } from './facts.ts';
import { addressOf, concerned, type PeopleModel } from './model-people.ts';
import { epochRows } from './sessions.ts';

const MAX_FAILURES = 10;
const MINUTE_MS = 60_000;
const WINDOW_MS = 15 * MINUTE_MS;
const LOCK_MS = 30 * MINUTE_MS;
const CHALLENGE_MS = 5 * MINUTE_MS;

/** Proofs within a session are counted for that session. */
const WITHIN = /^\/auth\/(step-up|password|mfa\/totp\/confirm)$/;
const LOGINS = /^\/(auth\/login|auth\/mfa|invitations\/accept)$/;
const REFUSED: ReadonlySet<string> = new Set(['login_refused', 'code_refused']);

interface Guess {
  readonly exchange: Exchange;
  /** What is counted together: an account from one of its devices or from elsewhere, or a session. */
  readonly key: string;
  readonly kind: 'failed' | 'completed' | 'unclear' | 'locked' | 'other';
}

/**
 * Of one account and device, no more than ten failing guesses are looked at within fifteen minutes; the next are told
 * that it is locked, right ones too. Nobody is told so who is not.
 */
export function checkLockout(facts: Facts, people: PeopleModel): void {
  const devices = knownDevices(facts, people);
  const guesses = facts.evidence.exchanges.flatMap((exchange): Guess[] => {
    const keys = keysOf(facts, people, devices, exchange);
    const kind = keys.length > 1 ? 'unclear' : kindOf(facts, people, exchange);
    return keys.map((key) => ({ exchange, key, kind }));
  });
  for (const [key, group] of Map.groupBy(guesses, (guess) => guess.key)) {
    for (const guess of group) {
      if (guess.kind === 'failed') checkWindow(facts, key, group, guess);
      if (guess.kind === 'locked') checkLocked(facts, group, guess);
    }
  }
}

/** The device cookies that were handed out, and when. */
type Devices = ReadonlyMap<string, { readonly email: string; readonly issued: Exchange }>;

function knownDevices(facts: Facts, people: PeopleModel): Devices {
  const devices = new Map<string, { readonly email: string; readonly issued: Exchange }>();
  for (const exchange of facts.evidence.exchanges) {
    const device = exchange.answer && setCookieOf(exchange.answer, 'device');
    const holder = facts.holders.get(tokenOf(exchange) ?? '');
    const email = holder === undefined ? concerned(facts, people, exchange) : addressOf(people, holder.id);
    if (device !== undefined && email !== undefined) devices.set(device, { email, issued: exchange });
  }
  return devices;
}

/** What a guess is counted with; more than one where it cannot be told which. */
function keysOf(facts: Facts, people: PeopleModel, devices: Devices, exchange: Exchange): string[] {
  const { sent } = exchange;
  if (WITHIN.test(sent.path)) {
    const session = facts.holders.get(tokenOf(exchange) ?? '')?.session;
    const loginId = people.sessions.get(session?.id ?? '')?.loginId;
    return loginId === undefined ? [] : [loginId];
  }
  const email = LOGINS.test(sent.path) ? concerned(facts, people, exchange) : undefined;
  if (email === undefined) return [];
  const presented = cookieOf(sent, 'device') ?? '';
  const device = devices.get(presented);
  const elsewhere = `${email} -`;
  if (device?.email !== email) return [elsewhere];
  const known = `${email} ${presented.split('.')[0]}`;
  // A change of the password makes all devices strangers.
  const { start, end = Number.MAX_SAFE_INTEGER } = exchange;
  const { issued } = device;
  const moves = epochRows(facts, people.ids.get(email) ?? '').filter(
    (row) => row.exchange !== issued.number && row.step > issued.start && row.step <= end,
  );
  if (moves.length === 0) return [known];
  return moves.some(({ step }) => step > (issued.end ?? end) && step <= start)
    ? [elsewhere]
    : [known, elsewhere];
}

function kindOf(facts: Facts, people: PeopleModel, exchange: Exchange): Guess['kind'] {
  const { answer, sent } = exchange;
  if (answer === undefined || answer.status >= 500) return 'unclear';
  const { code, mfaToken } = jsonOf(answer);
  if (code === 'login_locked') return 'locked';
  if (REFUSED.has(code)) return isLookedAt(facts, people, exchange) ? 'failed' : 'other';
  if (WITHIN.test(sent.path)) return answer.status === 401 || answer.status === 403 ? 'other' : 'unclear';
  const isLogin = isSuccess(answer) && mfaToken === undefined && sent.path !== '/invitations/accept';
  return isLogin ? 'completed' : 'other';
}

/** A code is looked at only in a login that is not over. */
function isLookedAt(facts: Facts, people: PeopleModel, exchange: Exchange): boolean {
  const { path, body = {} } = exchange.sent;
  if (path !== '/auth/mfa') return true;
  const mfaToken = body['mfaToken'];
  const challenge = people.challenges.get(String(mfaToken));
  if (challenge === undefined || challenge.end === undefined) return false;
  const { start, end = start } = exchange;
  const isUsed = facts.evidence.exchanges.some(
    (other) =>
      other.sent.body?.['mfaToken'] === mfaToken &&
      other.start <= end &&
      (other.answer === undefined || other.answer.status === 503 || isSuccess(other.answer)),
  );
  const userId = people.ids.get(concerned(facts, people, exchange) ?? '') ?? '';
  const mayHaveMoved = epochRows(facts, userId).some(({ step }) => step >= challenge.start && step <= end);
  const isInTime = (exchange.endTime ?? Number.MAX_SAFE_INTEGER) < challenge.startTime + CHALLENGE_MS;
  return !isUsed && !mayHaveMoved && isInTime;
}

/** From this failure on, until something may have cleared the counter. */
function checkWindow(facts: Facts, key: string, group: readonly Guess[], first: Guess): void {
  const { exchange: from } = first;
  const clears = group.filter(
    ({ kind, exchange }) =>
      (kind === 'completed' || kind === 'unclear') && (exchange.end ?? Number.MAX_SAFE_INTEGER) >= from.start,
  );
  const starts = clears.map(({ exchange }) => exchange.start).sort((a, b) => a - b);
  const [bound = Number.MAX_SAFE_INTEGER, next = Number.MAX_SAFE_INTEGER] = starts;
  const failed = group.filter(
    ({ kind, exchange }) =>
      kind === 'failed' &&
      exchange.startTime >= from.startTime &&
      (exchange.endTime ?? 0) <= from.startTime + WINDOW_MS &&
      (exchange.end ?? bound) <= bound,
  );
  if (failed.length > MAX_FAILURES)
    facts.report('lockout', `${failed.length} failing guesses at ${key} were looked at`);
  if (failed.length < MAX_FAILURES) return;
  const locked = Math.max(...failed.map(({ exchange }) => exchange.startTime));
  const opened = clears.find(({ exchange, kind }) => kind === 'completed' && exchange.start === bound);
  const isAlone = (opened?.exchange.end ?? bound) < next;
  if (opened !== undefined && isAlone && (opened.exchange.endTime ?? 0) < locked + LOCK_MS)
    facts.report('lockout', `${nameOf(opened.exchange)} got in while ${key} was locked`);
}

function checkLocked({ evidence, report }: Facts, group: readonly Guess[], { exchange }: Guess): void {
  const earliest = exchange.startTime - WINDOW_MS - LOCK_MS - evidence.skew;
  const booked = group.filter(
    ({ kind, exchange: other }) =>
      kind !== 'locked' && other.start <= (exchange.end ?? 0) && other.startTime >= earliest,
  );
  if (booked.length < MAX_FAILURES)
    report('lockout', `${nameOf(exchange)} is locked after ${booked.length} guesses`);
}
