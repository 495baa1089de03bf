import { cookieOf, refreshTokenOf, tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, type Holder, jsonOf, type Row } from './facts.ts';
import { type SessionStory, sessionUses, tellSessions, type Uses } from './sessions.ts';
import { Timeline } from './timeline.ts';

/** The second factor of somebody who has one. */
export interface FactorState {
  /** In base32; unknown where the answer that told it was lost. */
  readonly secret: string | undefined;
}

/** The people of all workspaces as the rows tell of them, read off the requests that caused the rows. */
export interface PeopleModel {
  /** By e-mail address. */
  readonly ids: ReadonlyMap<string, string>;
  /** `<workspace>/<person>` to the role. */
  readonly roles: Timeline<string>;
  /** By person. */
  readonly passwords: Timeline<string>;
  readonly factors: Timeline<FactorState>;
  /** By workspace, whether it demands a second factor. */
  readonly demands: Timeline<boolean>;
  /** By e-mail address: the workspaces that somebody was ever invited to or is a member of. */
  readonly homes: ReadonlyMap<string, ReadonlySet<string>>;
  readonly sessions: ReadonlyMap<string, SessionStory>;
  readonly uses: Uses;
  /** Of links, who they were mailed to. */
  readonly mailed: ReadonlyMap<string, string>;
  /** Of OAuth codes, the request that they were told to. */
  readonly codes: ReadonlyMap<string, Exchange>;
  /** Of the tokens between the two steps of a login, who they were told. */
  readonly challenges: ReadonlyMap<string, Exchange>;
}

const LINK = /token=(lz[ip]_[A-Za-z0-9_-]{43})/;

export function tellPeople(facts: Facts): PeopleModel {
  const { evidence } = facts;
  const told = {
    ids: new Map<string, string>(),
    roles: new Timeline<string>(),
    passwords: new Timeline<string>(),
    factors: new Timeline<FactorState>(),
    demands: new Timeline<boolean>(),
    homes: new Map<string, Set<string>>(),
    mailed: new Map<string, string>(),
    challenges: new Map<string, Exchange>(),
    codes: new Map<string, Exchange>(),
  };
  for (const { to, text } of evidence.mails) {
    const token = LINK.exec(text)?.[1];
    if (token !== undefined) told.mailed.set(token, to);
  }
  for (const exchange of evidence.exchanges) {
    const { mfaToken } = exchange.answer === undefined ? {} : jsonOf(exchange.answer);
    if (mfaToken !== undefined) told.challenges.set(mfaToken, exchange);
    const code = /[?&]code=(lzc_[\w-]{43})/.exec(exchange.answer?.headers['Location'] ?? '')?.[1];
    if (code !== undefined) told.codes.set(code, exchange);
  }
  const rows = facts.rows.filter(({ changes }) => changes.length > 0).sort((a, b) => a.step - b.step);
  for (const row of rows) tellOf(row, evidence.exchanges[row.exchange ?? -1], told, facts);
  const formerOf = (opening: Exchange | undefined): Holder | undefined =>
    opening && (facts.holders.get(tokenOf(opening) ?? '') ?? sessionBehind(facts, told, opening));
  return { ...told, sessions: tellSessions(facts, formerOf), uses: sessionUses(facts) };
}

type Told = { -readonly [K in 'roles' | 'passwords' | 'factors' | 'demands' | 'mailed']: PeopleModel[K] } & {
  readonly ids: Map<string, string>;
  readonly homes: Map<string, Set<string>>;
};

function tellOf(row: Row, cause: Exchange | undefined, told: Told, facts: Facts): void {
  const { action, entity, step, ws } = row;
  const { body = {} } = cause?.sent ?? {};
  const member = row.changes.find(({ kind }) => kind === 'membership')?.id;
  const email = emailIn(cause, told);
  if (member !== undefined && action !== 'member.signed_out')
    told.roles.set(`${ws}/${member}`, step, roleAfter(row));
  if (action === 'user.created' && email !== undefined) told.ids.set(email, entity.id);
  if (action === 'member.invited') noteHome(told, String(body['email']), ws);
  if (member !== undefined) {
    const [address] = [...told.ids].find(([, id]) => id === member) ?? [];
    if (address !== undefined) noteHome(told, address, ws);
  }
  if (action === 'workspace.updated') {
    const { requireMfa } = (body['policy'] ?? {}) as { readonly requireMfa?: boolean };
    if (requireMfa !== undefined) told.demands.set(ws, step, requireMfa);
  }
  if (
    action === 'user.created' ||
    action === 'user.recovered' ||
    /^user\.password_(changed|reset)$/.test(action)
  )
    told.passwords.set(entity.id, step, String(body['newPassword'] ?? body['password']));
  if (action === 'user.mfa_enabled' && row.changes.some(({ kind }) => kind === 'mfa'))
    told.factors.set(entity.id, step, { secret: secretOf(facts, row) });
  if (action === 'user.mfa_disabled' || action === 'user.recovered')
    told.factors.set(entity.id, step, undefined);
}

/** Whom a request is about, by the address in it or by that which its link was mailed to. */
function emailIn(exchange: Exchange | undefined, { mailed }: Pick<Told, 'mailed'>): string | undefined {
  const { email, token } = exchange?.sent.body ?? {};
  if (typeof email === 'string') return email;
  return typeof token === 'string' ? mailed.get(token) : undefined;
}

function noteHome({ homes }: Told, email: string, ws: string): void {
  homes.set(email, (homes.get(email) ?? new Set()).add(ws));
}

/** What the member that a row is about is after it; `undefined` for somebody who is gone. */
function roleAfter({ action, detail }: Row): string | undefined {
  switch (action) {
    case 'member.joined':
      return detail['role'];
    case 'member.role_changed':
      return detail['to'];
    case 'member.removed':
      return undefined;
    default:
      return 'owner';
  }
}

/** The secret that was shown last to this person before it counted. */
function secretOf({ evidence, rows }: Facts, enabled: Row): string | undefined {
  const shown = rows
    .filter(({ action, changes }) => action === 'user.mfa_enrollment_started' && changes.length > 0)
    .filter(({ entity, step }) => entity.id === enabled.entity.id && step < enabled.step)
    .sort((a, b) => a.step - b.step)
    .at(-1);
  const answer = evidence.exchanges[shown?.exchange ?? -1]?.answer;
  return answer === undefined ? undefined : jsonOf(answer).secret;
}

/** The address of the person whom a request without credentials is about, if it says so. */
export function concerned(facts: Facts, people: PeopleModel, exchange: Exchange): string | undefined {
  const { body = {} } = exchange.sent;
  const email = emailIn(exchange, people);
  if (email !== undefined) return email;
  const challenge = people.challenges.get(String(body['mfaToken']));
  if (challenge !== undefined) return emailIn(challenge, people);
  const holder = sessionBehind(facts, people, exchange);
  return holder && addressOf(people, holder.id);
}

/** The session that a request without credentials goes on in, grants in or ends, if any. */
export function sessionBehind(
  { holders }: Pick<Facts, 'holders'>,
  people: Pick<PeopleModel, 'codes'>,
  exchange: Exchange,
): Holder | undefined {
  const { sent } = exchange;
  const { code, token } = sent.form ?? {};
  const granting = people.codes.get(code ?? '');
  if (granting !== undefined) return sessionBehind({ holders }, people, granting);
  const shown =
    sent.path === '/oauth/authorize'
      ? [cookieOf(sent, 'access'), cookieOf(sent, 'refresh')]
      : [refreshTokenOf(exchange), token];
  return shown.map((one) => holders.get(one ?? '')).find((holder) => holder !== undefined);
}

export function addressOf({ ids }: PeopleModel, userId: string): string | undefined {
  return [...ids].find(([, id]) => id === userId)?.[0];
}
