import { tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, nameOf } from './facts.ts';
import { addressOf, concerned, type PeopleModel } from './model-people.ts';

const PLATFORM = '_platform';
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const IDS = new RegExp(`\\b(?:(?:ws|sec|key|ses|inv)_[0-9a-f]{32}|${UUID})\\b`, 'g');
const NAMED = new RegExp(
  `^/(?:secrets|api-keys|auth/sessions|workspace/members)/((?:sec|key|ses)_[0-9a-f]{32}|${UUID})`,
);
const KINDS: ReadonlySet<string> = new Set(['secret', 'apiKey', 'workspace', 'session', 'invitation']);

/** Who makes a request, and where they are at home: one workspace for a key, any number for a person. */
interface Caller {
  /** Of somebody who shows a token: the workspace that they work in. */
  readonly workspaceId: string | undefined;
  readonly id: string | undefined;
  readonly homes: ReadonlySet<string>;
}

/**
 * I5: what a caller gets to see or causes stays in the caller's workspaces, in nobody else's name; and another
 * tenant's id is answered exactly like one that nobody has.
 */
export function checkTenants(facts: Facts, people: PeopleModel): void {
  const owners = ownersOfIds(facts, people);
  const answers = new Map<string, Set<string>>();
  for (const exchange of facts.evidence.exchanges) {
    const caller = callerOf(facts, people, exchange);
    checkRows(facts, exchange, caller);
    if (exchange.answer === undefined || exchange.sent.path === '/setup') continue;
    checkAnswer(facts, exchange, caller, owners);
    noteForeign(people, exchange, caller, owners, answers);
  }
  for (const [request, texts] of answers) {
    if (texts.size > 1)
      facts.report('I5', `${request} tells a foreign id from an absent one: ${[...texts].join(' or ')}`);
  }
}

function callerOf(facts: Facts, people: PeopleModel, exchange: Exchange): Caller {
  const holder = facts.holders.get(tokenOf(exchange) ?? '');
  if (holder?.type === 'api_key')
    return { workspaceId: holder.workspaceId, id: holder.id, homes: new Set([holder.workspaceId]) };
  const email = holder === undefined ? concerned(facts, people, exchange) : addressOf(people, holder.id);
  const homes = people.homes.get(email ?? '') ?? new Set();
  return { workspaceId: holder?.workspaceId, id: holder?.id ?? people.ids.get(email ?? ''), homes };
}

/** The workspaces of each entity, by the rows that tell of it; of people, those where they ever were at home. */
function ownersOfIds({ rows }: Facts, people: PeopleModel): Map<string, ReadonlySet<string>> {
  const owners = new Map<string, ReadonlySet<string>>();
  for (const { ws, changes } of rows) {
    for (const { kind, id } of changes) if (KINDS.has(kind)) owners.set(id, new Set([ws]));
  }
  for (const [email, id] of people.ids) owners.set(id, people.homes.get(email) ?? new Set());
  return owners;
}

function checkRows({ rowsOfExchange, report }: Facts, exchange: Exchange, { id, homes }: Caller): void {
  const isSetUp = exchange.sent.path === '/setup';
  for (const { ws, lane, actor } of rowsOfExchange.get(exchange.number) ?? []) {
    const isAtHome = homes.has(ws) || ws === PLATFORM;
    const isStranger = lane === 1 && actor.type === 'anonymous' && isAtHome;
    const isOwn = actor.id === id && isAtHome;
    const opensLane = lane === 0 && actor.type === 'system';
    if (!isSetUp && !isStranger && !opensLane && !isOwn) {
      report('I5', `${nameOf(exchange)} left a row of ${actor.id} in ${ws}`);
    }
  }
}

/** Ids of other tenants may come back only where the caller named them. */
function checkAnswer(
  { report }: Facts,
  exchange: Exchange,
  { homes }: Caller,
  owners: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const { sent, answer } = exchange;
  const named = `${sent.path} ${JSON.stringify(sent.body ?? {})}`;
  for (const [id] of answer?.text.matchAll(IDS) ?? []) {
    const owner = owners.get(id);
    if (owner === undefined || [...owner].some((ws) => homes.has(ws)) || named.includes(id)) continue;
    // Whoever reads the audit trail sees what others tried, by the ids that they tried it with.
    if (sent.path.startsWith('/audit')) continue;
    report('I5', `${nameOf(exchange)} shows ${id} of ${[...owner].join(', ')}`);
  }
}

/** Answers to requests that name what is not the caller's: foreign or absent, by the request without the id. */
function noteForeign(
  people: PeopleModel,
  { sent, answer }: Exchange,
  caller: Caller,
  owners: ReadonlyMap<string, ReadonlySet<string>>,
  answers: Map<string, Set<string>>,
): void {
  const id = NAMED.exec(sent.path)?.[1];
  if (id === undefined || answer === undefined || caller.workspaceId === undefined) return;
  if (isCallers(people, id, caller, owners)) return;
  // What the network or the caller's own credentials are to blame for does not depend on the id.
  if (answer.status === 503 || answer.status === 401 || answer.status === 403) return;
  const request = `${sent.method} ${sent.path.replace(id, '{id}')}`;
  const text = `${answer.status} ${answer.text.replace(/"requestId":"\d+"/, '')}`;
  answers.set(request, (answers.get(request) ?? new Set()).add(text));
}

function isCallers(
  { roles, sessions }: PeopleModel,
  id: string,
  { workspaceId, id: own }: Caller,
  owners: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  if (id.startsWith('ses_')) return sessions.get(id)?.userId === own;
  if (/^(sec|key)_/.test(id)) return owners.get(id)?.has(workspaceId ?? '') ?? false;
  return roles.keys().includes(`${workspaceId}/${id}`);
}
