import { isPublic, refreshTokenOf, tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, type Holder, jsonOf, nameOf, type Row } from './facts.ts';
import type { PeopleModel } from './model-people.ts';
import { accessStanding, refreshStanding, type SessionStory, type Standing, standingOf } from './sessions.ts';

/** A used refresh token may come again within this time, in milliseconds, and merely fails. */
const GRACE_MS = 10_000;
const LATEST = Number.MAX_SAFE_INTEGER;

interface Presented {
  readonly exchange: Exchange;
  readonly story: SessionStory;
  /** The row with which the token was made. */
  readonly issued: Row;
}

/**
 * I7, people: a session that is over when a request starts gets it nothing, whichever of its tokens comes; requests
 * that were under way may go either way. A session that stands is not refused. A refresh token that comes again
 * ends its session once the grace is over, and not before.
 */
export function checkSessions(facts: Facts, people: PeopleModel): void {
  const reuses: Presented[] = [];
  for (const exchange of facts.evidence.exchanges) {
    const refreshToken = refreshTokenOf(exchange);
    const presented = present(people, exchange, facts.holders.get(refreshToken ?? tokenOf(exchange) ?? ''));
    if (presented === undefined) {
      if (refreshToken !== undefined && exchange.answer?.status === 200)
        facts.report('I7', `${nameOf(exchange)} was served with a refresh token that nobody was told`);
      continue;
    }
    const { story, issued } = presented;
    const isAccess = refreshToken === undefined && isAccessToken(tokenOf(exchange));
    const token = isAccess
      ? accessStanding(facts, story, issued, exchange)
      : refreshStanding(story, issued, exchange);
    const session = standingOf(facts, people.uses, story, exchange);
    checkStanding(facts, exchange, {
      isOver: session.isOver || token.isOver,
      mayBeOver: session.mayBeOver || token.mayBeOver,
    });
    if (refreshToken !== undefined) {
      if (token.mayBeOver) reuses.push(presented);
      checkReuse(facts, presented);
    }
  }
  checkDetections(facts, people, reuses);
}

function present(people: PeopleModel, exchange: Exchange, holder: Holder | undefined): Presented | undefined {
  const story = people.sessions.get(holder?.session?.id ?? '');
  if (story === undefined || holder?.session === undefined) return undefined;
  return { exchange, story, issued: holder.session.issued };
}

function isAccessToken(token: string | undefined): boolean {
  return token?.startsWith('ey') ?? false;
}

function checkStanding(facts: Facts, exchange: Exchange, { isOver, mayBeOver }: Standing): void {
  const { answer } = exchange;
  const code = answer === undefined ? undefined : (jsonOf(answer).code ?? jsonOf(answer).error);
  const isRefused = code === 'unauthenticated' || code === 'invalid_grant';
  if (isOver) {
    const didSomething = (facts.rowsOfExchange.get(exchange.number) ?? []).some(
      ({ actor, result }) => actor.type === 'user' && result === 'success',
    );
    const isTurnedAway = answer === undefined || isRefused || TURNED_AWAY.has(answer.status);
    const mayBeEarly = isPublic(exchange.sent) && code === 'csrf_refused';
    if (didSomething || (!isTurnedAway && !mayBeEarly))
      facts.report('I7', `${nameOf(exchange)} was served in a session that is over`);
  } else if (isRefused && !mayBeOver) {
    facts.report('I7', `${nameOf(exchange)} was refused in a session that stands`);
  }
}

/** What comes before anybody looks at the session: limits, and troubles of the vault. */
const TURNED_AWAY: ReadonlySet<number> = new Set([429, 503]);

/** Somebody else has a copy of a token that comes again after the grace: that ends the session. */
function checkReuse(facts: Facts, { exchange, story, issued }: Presented): void {
  const { answer, startTime, end = 0 } = exchange;
  const next = story.issues.find((row) => row.step > issued.step);
  const consumer = facts.evidence.exchanges[next?.exchange ?? -1];
  const isTold = consumer?.endTime !== undefined && (consumer.end ?? end) <= exchange.start;
  const isLate = isTold && startTime - (consumer.endTime ?? startTime) > GRACE_MS;
  const isRefused = answer?.status === 401 || answer?.status === 400;
  if (isLate && isRefused && !story.ends.some((step) => step <= end))
    facts.report('reuse', `${nameOf(exchange)} shows a token that was used before, and its session goes on`);
}

/** A session ends for reuse only if one of its tokens did come again, and not right away. */
function checkDetections(facts: Facts, people: PeopleModel, reuses: readonly Presented[]): void {
  for (const row of facts.rows) {
    if (row.action !== 'session.reuse_detected') continue;
    const story = people.sessions.get(row.entity.id);
    const isCaused = reuses.some(({ exchange, story: { id }, issued }) => {
      const consumer =
        facts.evidence.exchanges[story?.issues.find((next) => next.step > issued.step)?.exchange ?? -1];
      const { start, end = LATEST, endTime = LATEST } = exchange;
      const { startTime: since = 0 } = consumer ?? {};
      const isThen = id === row.entity.id && start <= row.step && row.step <= end;
      return isThen && endTime - since > GRACE_MS;
    });
    if (!isCaused) facts.report('reuse', `the session ${row.entity.id} ended for a reuse that was none`);
  }
}
