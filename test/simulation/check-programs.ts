import { cookieOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, jsonOf, nameOf } from './facts.ts';
import { type PeopleModel, sessionBehind } from './model-people.ts';
import { accessStanding, standingOf } from './sessions.ts';

/** How long a code can be redeemed, in milliseconds. */
const CODE_MS = 60_000;

/**
 * OAuth: a code is granted in a session that stands, by its own person, from the vault's own page; it is redeemed in
 * time, with the verifier, and what came of it ends when it comes again.
 */
export function checkPrograms(facts: Facts, people: PeopleModel): void {
  for (const exchange of facts.evidence.exchanges) {
    const { sent, answer } = exchange;
    if (!sent.path.startsWith('/oauth/') || answer === undefined) continue;
    if (answer.status === 500) facts.report('I8', `${nameOf(exchange)}: ${answer.cause ?? ''}`);
    if (sent.path === '/oauth/authorize') checkGrant(facts, people, exchange);
    if (sent.form?.['grant_type'] === 'authorization_code') checkRedemption(facts, people, exchange);
    if (sent.form?.['grant_type'] === 'refresh_token' && answer.status === 200)
      demandRow(facts, exchange, 'session.refreshed');
  }
}

function checkGrant(facts: Facts, people: PeopleModel, exchange: Exchange): void {
  const { sent, number } = exchange;
  const rows = facts.rowsOfExchange.get(number) ?? [];
  const isGranted = rows.some(({ action, result }) => action === 'oauth.authorized' && result === 'success');
  if ([...people.codes.values()].includes(exchange)) demandRow(facts, exchange, 'oauth.authorized');
  if (!isGranted) return;
  const holder = facts.holders.get(cookieOf(sent, 'access') ?? '');
  const story = people.sessions.get(holder?.session?.id ?? '');
  if (holder?.session === undefined || story === undefined) {
    // With the refresh cookie alone, the session is refreshed first.
    if (!rows.some(({ action }) => action === 'session.refreshed'))
      facts.report('I7', `${nameOf(exchange)} granted a code to nobody`);
    return;
  }
  const session = standingOf(facts, people.uses, story, exchange);
  const token = accessStanding(facts, story, holder.session.issued, exchange);
  if (session.isOver || token.isOver)
    facts.report('I7', `${nameOf(exchange)} granted a code in a session that is over`);
  const csrfToken = facts.evidence.exchanges.some(({ answer }) => {
    const told = answer === undefined ? undefined : jsonOf(answer);
    return told?.session?.id === story.id && told.csrfToken === sent.form?.['csrf_token'];
  });
  if (!csrfToken) facts.report('I8', `${nameOf(exchange)} was forged, and granted a code`);
}

function checkRedemption(facts: Facts, people: PeopleModel, exchange: Exchange): void {
  const { sent, answer, start, end = start, startTime } = exchange;
  const code = sent.form?.['code'] ?? '';
  const granting = people.codes.get(code);
  const fail = (invariant: string, problem: string): void =>
    facts.report(invariant, `${nameOf(exchange)} ${problem}`);
  const row = facts.rows.find(
    (one) =>
      one.action === 'authentication.succeeded' &&
      one.changes.some(({ kind }) => kind === 'authorizationCode') &&
      facts.evidence.exchanges[one.exchange ?? -1]?.sent.form?.['code'] === code,
  );
  if (answer?.status === 200) {
    demandRow(facts, exchange, 'authentication.succeeded');
    if (granting === undefined) fail('I8', 'redeemed a code that nobody was told');
    else if (granting.endTime !== undefined && startTime >= granting.endTime + CODE_MS)
      fail('I8', 'came too late');
    const story = people.sessions.get(sessionBehind(facts, people, exchange)?.session?.id ?? '');
    if (story !== undefined && standingOf(facts, people.uses, story, exchange).isOver)
      fail('I7', 'redeemed a code of a session that is over');
    return;
  }
  const isReuse = answer?.status === 400 && row !== undefined && row.step <= start;
  const opened = people.sessions.get(row?.entity.id ?? '');
  if (isReuse && opened !== undefined && !opened.ends.some((step) => step <= end))
    fail('reuse', 'shows a code that was used before, and what came of it goes on');
}

function demandRow(
  { rowsOfExchange, report }: Facts,
  { number, ...exchange }: Exchange,
  action: string,
): void {
  const isThere = rowsOfExchange
    .get(number)
    ?.some((row) => row.action === action && row.result === 'success' && row.step <= (exchange.end ?? 0));
  if (!isThere) report('I1', `${nameOf({ number, ...exchange })} says yes, and there is no ${action}`);
}
