import type { Answer, Exchange } from './evidence.ts';
import { type Facts, isSuccess, jsonOf, nameOf, type Row } from './facts.ts';
import { concerned, type PeopleModel } from './model-people.ts';
import { epochRows } from './sessions.ts';
import { totpCode, totpStep } from './totp.ts';

/** A request of somebody who has no credentials yet, with what the model knows of whom it is about. */
interface Knock {
  readonly facts: Facts;
  readonly people: PeopleModel;
  readonly exchange: Exchange;
  readonly answer: Answer;
  readonly start: number;
  readonly end: number;
  /** `undefined` where nobody has this address. */
  readonly userId: string | undefined;
  readonly rows: readonly Row[];
  readonly fail: (invariant: string, problem: string) => void;
}

/** What each door may answer, besides limits and troubles of the vault (429, 503). */
const DOORS: { readonly [path: string]: { readonly codes: RegExp; readonly check: (knock: Knock) => void } } =
  {
    '/setup': { codes: /^(setup_refused|concurrent_change)$/, check: checkSetUp },
    '/auth/login': { codes: /^(login_refused|forbidden|concurrent_change)$/, check: checkLogin },
    '/auth/mfa': { codes: /^code_refused$/, check: checkSecondStep },
    '/auth/refresh': { codes: /^(unauthenticated|csrf_refused)$/, check: checkRefresh },
    '/auth/password/forgot': { codes: /^$/, check: checkForgot },
    '/auth/password/reset': { codes: /^(link_refused)$/, check: checkReset },
    '/invitations/accept': {
      codes: /^(link_refused|login_refused|already_member|concurrent_change)$/,
      check: checkAcceptance,
    },
  };

/** Logins, links and set-up: nobody gets in without what it takes, and whoever does has a row. */
export function checkDoors(facts: Facts, people: PeopleModel): void {
  for (const exchange of facts.evidence.exchanges) {
    const { sent, answer, number, start, end = start } = exchange;
    const door = DOORS[sent.path];
    if (door === undefined || answer === undefined) continue;
    const fail = (invariant: string, problem: string): void =>
      facts.report(invariant, `${nameOf(exchange)} ${problem}`);
    if (answer.status === 500) fail('I8', String(answer.cause));
    const userId = people.ids.get(concerned(facts, people, exchange) ?? '');
    const rows = (facts.rowsOfExchange.get(number) ?? []).filter(({ step }) => step <= end);
    const { code = '' } = jsonOf(answer);
    const isExpected =
      answer.status < 400 || answer.status === 429 || answer.status === 503 || door.codes.test(code);
    if (!isExpected) fail('I8', `is not expected: ${code}`);
    door.check({ facts, people, exchange, answer, start, end, userId, rows, fail });
  }
}

/** A refused set-up changes nobody's account, unless the same one went through in another request at that moment. */
function checkSetUp({ facts, exchange, answer, rows, fail }: Knock): void {
  if (answer.status === 201 && !facts.holders.has(jsonOf(answer).apiKey.key ?? ''))
    fail('I8', 'tells no key');
  const { setupToken, email } = exchange.sent.body ?? {};
  const isSame = ({ sent: { path, body = {} }, ...other }: Exchange): boolean =>
    path === '/setup' &&
    body['setupToken'] === setupToken &&
    body['email'] === email &&
    (other.answer === undefined || other.answer.status < 400 || other.answer.status === 503);
  const isRefused = answer.status === 401 && !facts.evidence.exchanges.some(isSame);
  if (isRefused && rows.some(({ changes }) => changes.length > 0))
    fail('once', 'was refused, and changed an account');
}

function checkLogin(knock: Knock): void {
  const { people, exchange, answer, start, end, userId, fail } = knock;
  const passwords = people.passwords.during(userId ?? '', start, end);
  const sent = exchange.sent.body?.['password'];
  const isRefused = jsonOf(answer).code === 'login_refused';
  if (isRefused && passwords.every((password) => password === sent)) fail('I8', 'refused the right password');
  if (!isSuccess(answer)) return;
  if (!passwords.includes(String(sent))) fail('I8', 'let somebody in with a wrong password');
  const factors = people.factors.during(userId ?? '', start, end);
  if (jsonOf(answer).mfaToken !== undefined) {
    demandRow(knock, 'authentication.mfa_required');
    if (factors.every((factor) => factor === undefined)) fail('I8', 'asks for a second step that nobody has');
    return;
  }
  if (!factors.includes(undefined)) fail('I8', 'asked for no second step');
  checkOpened(knock);
}

function checkSecondStep(knock: Knock): void {
  const { facts, people, exchange, answer, start, end, userId = '', fail } = knock;
  if (!isSuccess(answer)) return;
  checkOpened(knock);
  const { mfaToken, code } = exchange.sent.body ?? {};
  const challenge = people.challenges.get(String(mfaToken));
  if (challenge === undefined) fail('I8', 'let somebody in without a first step');
  const since = challenge?.end ?? start;
  if (epochRows(facts, userId).some(({ step }) => step > since && step <= start))
    fail('I7', 'completed a login that had come to its end');
  if (typeof code !== 'string') return;
  const secrets = people.factors.during(userId, start, end).map((factor) => factor?.secret);
  const first = totpStep(exchange.startTime) - 1;
  const last = totpStep(exchange.endTime ?? exchange.startTime) + 1;
  const steps = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  // Of a secret that was lost on its way, nobody can make a code.
  const isRight = secrets.some((secret) => secret && steps.some((step) => totpCode(secret, step) === code));
  if (!isRight) fail('I8', 'let somebody in with a code that was wrong at that time');
}

/** I1: the row of a login names the session that was opened. */
function checkOpened(knock: Knock): void {
  const { answer, userId, fail } = knock;
  const { session, user, workspace } = jsonOf(answer);
  const row = demandRow(knock, 'authentication.succeeded');
  if (row === undefined) return;
  const isSame = row.entity.id === session?.id && row.actor.id === userId && row.ws === workspace?.id;
  if (!isSame || user?.id !== userId) fail('I1', 'opened another session than its row says');
}

function checkRefresh(knock: Knock): void {
  if (isSuccess(knock.answer)) demandRow(knock, 'session.refreshed');
}

/** Known or not, everybody is told the same. A request about somebody is on record; about nobody, they are counted. */
function checkForgot({ facts, people, exchange, answer, start, end, userId, fail }: Knock): void {
  if (!isSuccess(answer)) return;
  if (answer.text !== '{}') fail('I5', 'tells whether there is such an account');
  if (userId === undefined || people.passwords.at(userId, start) === undefined) return;
  const isTold = facts.rows.some(
    ({ action, entity, detail, step }) =>
      action === 'user.password_reset_requested' &&
      entity.id === userId &&
      detail['sourceIp'] === exchange.sent.ip &&
      step >= start &&
      step <= end,
  );
  if (!isTold) fail('I1', 'left no row of the request');
}

function checkReset(knock: Knock): void {
  const { facts, people, exchange, answer, start, userId, fail } = knock;
  if (!isSuccess(answer)) return;
  demandRow(knock, 'user.password_reset');
  const token = String(exchange.sent.body?.['token']);
  const mail = facts.evidence.mails.find(({ text }) => text.includes(token));
  if (mail === undefined || people.mailed.get(token) === undefined)
    fail('I8', 'took a link that nobody was sent');
  const moved = epochRows(facts, userId ?? '').some(
    ({ step }) => step > (mail?.step ?? start) && step <= start,
  );
  if (moved) fail('once', 'took a link from before the password changed');
}

function checkAcceptance(knock: Knock): void {
  const { people, exchange, answer, start, end, userId, fail } = knock;
  if (!isSuccess(answer)) return;
  const row = demandRow(knock, 'member.joined');
  const { user, workspace, role } = jsonOf(answer);
  const isSame = row?.actor.id === user?.id && row?.ws === workspace?.id && row?.detail['role'] === role;
  if (!isSame || user?.id !== userId) fail('I1', 'tells of another membership than its row');
  const passwords = people.passwords.during(userId ?? '', start, end);
  if (!passwords.includes(String(exchange.sent.body?.['password'])))
    fail('I8', 'let somebody join with a wrong password');
}

function demandRow({ rows, fail }: Knock, action: string): Row | undefined {
  const row = rows.find((one) => one.action === action && one.result === 'success' && one.lane !== 1);
  if (row === undefined) fail('I1', `says yes, and there is no ${action}`);
  return row;
}
