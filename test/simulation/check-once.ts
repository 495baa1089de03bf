import { refreshTokenOf, tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, isSuccess, jsonOf, nameOf } from './facts.ts';
import { concerned, type PeopleModel } from './model-people.ts';
import { totpCode, totpStep } from './totp.ts';

/** What is good once, and what it is: at most one of the requests that show it may be answered with success. */
type OnceOf = (exchange: Exchange) => string | undefined;

const BY_TOKEN: readonly OnceOf[] = [
  (exchange) => refreshTokenOf(exchange),
  ({ sent }) => (sent.path === '/auth/mfa' ? text(sent.body?.['mfaToken']) : undefined),
  ({ sent }) => (sent.path === '/auth/password/reset' ? text(sent.body?.['token']) : undefined),
  ({ sent }) => (sent.path === '/invitations/accept' ? text(sent.body?.['token']) : undefined),
  ({ sent }) => (sent.path === '/oauth/token' ? sent.form?.['code'] : undefined),
];

/** A step of an app is this long, in milliseconds. */
const STEP_MS = 30_000;
/** What is good for half a minute is good by all clocks that differ by less, if it was made just now. */
const MOST_SKEW_MS = 1_000;

/**
 * What is good once works once: refresh tokens, logins' tokens, links, OAuth codes, backup codes, and the codes of apps,
 * of which no earlier one works after a later one. Of many that come at once without faults, exactly one wins.
 */
export function checkOnce(facts: Facts, people: PeopleModel): void {
  const { exchanges } = facts.evidence;
  for (const onceOf of BY_TOKEN) checkGroups(facts, exchanges, onceOf);
  const factors = exchanges.filter((exchange) => factorOf(exchange) !== undefined);
  const userOf = (exchange: Exchange): string =>
    facts.holders.get(tokenOf(exchange) ?? '')?.id ??
    people.ids.get(concerned(facts, people, exchange) ?? '') ??
    '';
  checkGroups(facts, factors, (exchange) => `${userOf(exchange)} ${factorOf(exchange)}`);
  for (const [userId, group] of Map.groupBy(factors, userOf)) checkOrder(facts, people, userId, group);
  checkLists(facts, factors, userOf);
  checkBursts(facts);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The code that a request shows as second factor. */
function factorOf({ sent: { path, body = {} } }: Exchange): string | undefined {
  if (!/^\/auth\/(mfa|step-up|mfa\/totp\/confirm)$/.test(path)) return undefined;
  return text(body['code']) ?? text(body['backupCode']);
}

function checkGroups(facts: Facts, exchanges: readonly Exchange[], onceOf: OnceOf): void {
  for (const [name, group] of Map.groupBy(exchanges, (exchange) => onceOf(exchange) ?? '')) {
    if (name === '') continue;
    const winners = group.filter(({ answer }) => isSuccess(answer));
    if (winners.length > 1) facts.report('once', `${winners.map(nameOf).join(' and ')} used the same thing`);
  }
}

/** No code of an app is good after a later one was. */
function checkOrder(facts: Facts, people: PeopleModel, userId: string, group: readonly Exchange[]): void {
  const used = group
    .filter(({ answer }) => isSuccess(answer))
    .flatMap((exchange) => {
      const { end = Number.MAX_SAFE_INTEGER } = exchange;
      const secret = people.factors.during(userId, exchange.start, end).findLast((state) => state)?.secret;
      const step = secret === undefined ? undefined : stepOf(facts, secret, exchange);
      return step === undefined ? [] : [{ exchange, secret, step }];
    });
  for (const { exchange, secret, step } of used) {
    const earlier = used.find(
      (one) => one.secret === secret && (one.exchange.end ?? 0) <= exchange.start && one.step >= step,
    );
    if (earlier !== undefined && earlier.exchange !== exchange)
      facts.report('once', `${nameOf(exchange)} was let in with a code from before another that was used`);
  }
}

/** The time step that a code belongs to, around the time at which it was shown. */
function stepOf({ evidence }: Facts, secret: string, exchange: Exchange): number | undefined {
  const code = factorOf(exchange);
  const reach = Math.ceil(evidence.skew / STEP_MS) + 2;
  const now = totpStep(exchange.startTime);
  const steps = Array.from({ length: 2 * reach + 1 }, (_, index) => now - reach + index);
  return steps.find((step) => totpCode(secret, step) === code);
}

/** A list of backup codes is dead once there is another one. */
function checkLists(
  facts: Facts,
  factors: readonly Exchange[],
  userOf: (exchange: Exchange) => string,
): void {
  const lists = facts.rows
    .filter(({ action, changes }) => MAKES_CODES.has(action) && changes.some(({ kind }) => kind === 'mfa'))
    .map(({ entity, step, exchange }) => {
      const answer = facts.evidence.exchanges[exchange ?? -1]?.answer;
      return { userId: entity.id, step, codes: (answer && jsonOf(answer).backupCodes) ?? [] };
    });
  for (const exchange of factors) {
    const code = text(exchange.sent.body?.['backupCode']);
    if (code === undefined || !isSuccess(exchange.answer)) continue;
    const userId = userOf(exchange);
    const list = lists.find((one) => one.userId === userId && one.codes.includes(code));
    const isReplaced = lists.some(
      (one) => one.userId === userId && one.step > (list?.step ?? 0) && one.step <= exchange.start,
    );
    if (list === undefined || isReplaced)
      facts.report('once', `${nameOf(exchange)} was let in with a backup code that is none any more`);
  }
}

const MAKES_CODES: ReadonlySet<string> = new Set(['user.mfa_enabled', 'user.backup_codes_replaced']);

/**
 * Exactly one wins. Perhaps none, where nothing went wrong but that too many wanted to write at once, or where clocks
 * differ by more than the thing is good for.
 */
function checkBursts({ evidence, report }: Facts): void {
  for (const { name, exchanges, isFaultless } of evidence.bursts) {
    const statuses = exchanges.map((number) => evidence.exchanges[number]?.answer?.status ?? 0);
    // Nobody may have come as far as to show the thing.
    if (!isFaultless || name === 'wrong logins' || statuses.includes(503) || statuses.length === 0) continue;
    const winners = statuses.filter((status) => status !== 0 && status < 400).length;
    if (winners === 0 && evidence.skew > MOST_SKEW_MS) continue;
    if (winners !== 1) report('once', `of ${exchanges.length} at once with one ${name}, ${winners} won`);
  }
}
