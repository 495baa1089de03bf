import type { Exchange } from './evidence.ts';
import { type Facts, nameOf, tokenOf } from './facts.ts';

const PLATFORM = '_platform';
const IDS = /\b(?:ws|sec|key)_[0-9a-f]{32}\b/g;

/**
 * I5: what a caller gets to see or causes stays in the caller's workspace, and another tenant's id is answered exactly
 * like one that nobody has.
 */
export function checkTenants(facts: Facts): void {
  const owners = ownersOfIds(facts);
  const answers = new Map<string, Set<string>>();
  for (const exchange of facts.evidence.exchanges) {
    const holder = facts.holders.get(tokenOf(exchange) ?? '');
    checkRows(facts, exchange, holder?.workspaceId);
    if (exchange.answer === undefined || exchange.sent.path === '/setup') continue;
    checkAnswer(facts, exchange, holder?.workspaceId, owners);
    noteForeign(exchange, holder?.workspaceId, owners, answers);
  }
  for (const [request, texts] of answers) {
    if (texts.size > 1)
      facts.report('I5', `${request} tells a foreign id from an absent one: ${[...texts].join(' or ')}`);
  }
}

/** The workspace of each entity, by the rows that tell of it. */
function ownersOfIds({ rows }: Facts): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { ws, changes } of rows) {
    for (const { kind, id } of changes) {
      if (kind === 'secret' || kind === 'apiKey' || kind === 'workspace') owners.set(id, ws);
    }
  }
  return owners;
}

function checkRows({ rowsOfExchange, report }: Facts, exchange: Exchange, own: string | undefined): void {
  const isSetUp = exchange.sent.path === '/setup';
  for (const { ws, lane, actor } of rowsOfExchange.get(exchange.number) ?? []) {
    const isStranger = lane === 1 && actor.type === 'anonymous' && (ws === own || ws === PLATFORM);
    const opensLane = lane === 0 && actor.type === 'system';
    if (!isSetUp && !isStranger && !opensLane && ws !== own) {
      report('I5', `${nameOf(exchange)} left a row in ${ws}`);
    }
  }
}

/** Ids of other tenants may come back only where the caller named them. */
function checkAnswer(
  { report }: Facts,
  exchange: Exchange,
  own: string | undefined,
  owners: ReadonlyMap<string, string>,
): void {
  const { sent, answer } = exchange;
  const named = `${sent.path} ${JSON.stringify(sent.body ?? {})}`;
  for (const [id] of answer?.text.matchAll(IDS) ?? []) {
    const owner = owners.get(id);
    if (owner === undefined || owner === own || named.includes(id)) continue;
    // Whoever reads the audit trail sees what others tried, by the ids that they tried it with.
    if (sent.path.startsWith('/audit')) continue;
    report('I5', `${nameOf(exchange)} shows ${id} of ${owner}`);
  }
}

/** Answers to requests that name what is not the caller's: foreign or absent, by the request without the id. */
function noteForeign(
  exchange: Exchange,
  own: string | undefined,
  owners: ReadonlyMap<string, string>,
  answers: Map<string, Set<string>>,
): void {
  const { sent, answer } = exchange;
  const id = /^\/(?:secrets|api-keys)\/((?:sec|key)_[0-9a-f]{32})/.exec(sent.path)?.[1];
  if (id === undefined || own === undefined || answer === undefined || owners.get(id) === own) return;
  // What the network or the caller's own key is to blame for does not depend on the id.
  if (answer.status === 503 || answer.status === 401 || answer.status === 403) return;
  const request = `${sent.method} ${sent.path.replace(id, '{id}')}`;
  const text = `${answer.status} ${answer.text.replace(/"requestId":"\d+"/, '')}`;
  answers.set(request, (answers.get(request) ?? new Set()).add(text));
}
