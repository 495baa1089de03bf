import { isCookieMutation, tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, isSuccess, jsonOf, type Row } from './facts.ts';
import { hasRole } from './model.ts';
import { type PeopleModel, sessionBehind } from './model-people.ts';
import { type Observed, rightsDuring } from './observed.ts';
import { ORIGIN } from './people.ts';
import { type Rule, ruleOf } from './rules.ts';
import type { SessionStory } from './sessions.ts';

const STEP_UP_MS = 5 * 60_000;

/**
 * What a person does in a session takes a role that they have at some moment of the request, a step-up and a second
 * factor where these are demanded, and the session's CSRF token where a browser sends its cookies; and what says that
 * one of these is missing is right.
 */
export function checkRights(observed: Observed): void {
  const { people, holder, exchange, answer, fail } = observed;
  const story = people.sessions.get(holder.session?.id ?? '');
  const rule = ruleOf(exchange.sent, holder.id);
  if (story === undefined || rule === undefined) {
    fail('is not in the manual');
    return;
  }
  checkForgery(observed, story);
  const { code } = jsonOf(answer);
  if (isSuccess(answer)) checkAllowed(observed, story, rule);
  if (code === 'step_up_required' && (!rule.stepUp || stepUpOf(observed, story) === 'certain'))
    fail('asks for a step-up that was done');
  if (code === 'mfa_enrollment_required' && (rule.isPersonal || !mayOweFactor(observed, story)))
    fail('asks for a second factor that nobody demands');
  if (code === 'password_change_required') fail('finds fault with a good password');
}

function checkAllowed(observed: Observed, story: SessionStory, rule: Rule): void {
  const { people, holder, start, end, fail } = observed;
  const roles = rightsDuring(observed);
  if (!roles.some((rights) => rights !== undefined && hasRole(rights, rule.least)))
    fail(`was allowed to a ${roles.at(-1)?.role ?? 'stranger'}`);
  if (rule.stepUp && stepUpOf(observed, story) === 'none') fail('was allowed without a step-up');
  const isDemanded = people.demands.during(holder.workspaceId, start, end).every((demand) => demand === true);
  const isShown = [start, end].some((step) => hasShownFactor(observed.facts, people, story, step));
  if (isDemanded && !isShown && !rule.isPersonal)
    fail('was allowed without the second factor that the workspace demands');
}

/** Whether the session was stepped up within the last five minutes, by the clocks of those who saw it. */
function stepUpOf({ facts, exchange }: Observed, { issues }: SessionStory): 'none' | 'possible' | 'certain' {
  const { start, end = Number.MAX_SAFE_INTEGER, startTime, endTime = startTime } = exchange;
  const done = issues.filter((row) => row.action === 'authentication.stepped_up' && row.step <= end);
  const latest = done.at(-1);
  const by = facts.evidence.exchanges[latest?.exchange ?? -1];
  if (latest === undefined || by === undefined) return 'none';
  const until = by.endTime ?? Number.MAX_SAFE_INTEGER;
  const isCertain =
    latest.step <= start && endTime < by.startTime + STEP_UP_MS && startTime >= until - STEP_UP_MS;
  if (isCertain) return 'certain';
  const isPossible = done.some((row) => {
    const stepUp = facts.evidence.exchanges[row.exchange ?? -1];
    return startTime < (stepUp?.endTime ?? Number.MAX_SAFE_INTEGER) + STEP_UP_MS;
  });
  return isPossible ? 'possible' : 'none';
}

/** Whether a session has shown a second factor, and one that its person still has. */
function hasShownFactor(
  facts: Facts,
  people: PeopleModel,
  { id, opened }: SessionStory,
  step: number,
): boolean {
  const isKept = ({ action, changes, step: at }: Row): boolean =>
    /^user\.mfa_(en|dis)abled$/.test(action) &&
    at <= step &&
    changes.some((change) => change.kind === 'session' && change.id === id);
  const kept = facts.rows.findLast(isKept);
  if (kept !== undefined) return kept.action === 'user.mfa_enabled';
  const opening = facts.evidence.exchanges[opened.exchange ?? -1];
  if (opening?.sent.path === '/auth/mfa') return true;
  const former = people.sessions.get(formerOf(facts, people, opening) ?? '');
  return former !== undefined && hasShownFactor(facts, people, former, opened.step);
}

/** The session that another one was opened from. */
function formerOf(facts: Facts, people: PeopleModel, opening: Exchange | undefined): string | undefined {
  const holder =
    opening && (facts.holders.get(tokenOf(opening) ?? '') ?? sessionBehind(facts, people, opening));
  return holder?.session?.id;
}

/** Any workspace of the person may have demanded it when the session last looked. */
function mayOweFactor({ facts, people, start, end }: Observed, story: SessionStory): boolean {
  const isDemanded = people.demands
    .keys()
    .some((ws) => people.demands.during(ws, -1, end).some((demand) => demand === true));
  return isDemanded && ![start, end].every((step) => hasShownFactor(facts, people, story, step));
}

/** What a browser sends with its cookies has to come from the vault's own pages. */
function checkForgery(observed: Observed, { id }: SessionStory): void {
  const { facts, exchange, answer, fail } = observed;
  const { sent, number } = exchange;
  if (!isCookieMutation(sent)) return;
  const isGenuine =
    sent.headers['x-csrf-token'] === csrfTokens(facts).get(id) && sent.headers['origin'] === ORIGIN;
  const { code } = jsonOf(answer);
  const didSomething = (facts.rowsOfExchange.get(number) ?? []).some(({ actor }) => actor.type === 'user');
  if (!isGenuine && (isSuccess(answer) || didSomething)) fail('was forged, and served');
  if (isGenuine && code === 'csrf_refused') fail('was no forgery');
}

const told = new WeakMap<Facts, ReadonlyMap<string, string>>();

/** The CSRF token that each session's client was told. */
function csrfTokens(facts: Facts): ReadonlyMap<string, string> {
  const known = told.get(facts);
  if (known !== undefined) return known;
  const tokens = new Map<string, string>();
  for (const { answer } of facts.evidence.exchanges) {
    const { session, csrfToken } = answer === undefined ? {} : jsonOf(answer);
    if (session !== undefined && csrfToken !== undefined) tokens.set(session.id, csrfToken);
  }
  told.set(facts, tokens);
  return tokens;
}
