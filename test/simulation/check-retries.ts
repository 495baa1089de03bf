import { tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, isSuccess, jsonOf, nameOf, type Row, type View } from './facts.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** One request may write several rows that say the same: a slice each, or one for each look at a second factor. */
const SLICED: ReadonlySet<string> = new Set([
  'secret.purge_started',
  'secret.imported',
  'authentication.mfa_attempted',
]);
const MADE_BY_PATH: readonly (readonly [path: RegExp, action: string, id: (json: View) => string])[] = [
  [/^\/secrets$/, 'secret.created', ({ id }) => id],
  [/^\/namespaces$/, 'namespace.created', ({ name }) => name],
  [/^\/api-keys$/, 'api_key.created', ({ id }) => id],
  [/^\/api-keys\/[^/]+\/rotate$/, 'api_key.rotated', ({ id }) => id],
  [/^\/secrets\/[^/]+\/rollback$/, 'secret.rolled_back', ({ id }) => id],
];

/**
 * I6: of requests with one `Idempotency-Key` one takes effect, and all that are answered with success name the same
 * resource; and no request leaves one row twice.
 */
export function checkRetries(facts: Facts): void {
  for (const exchange of facts.evidence.exchanges) checkRowsOnce(facts, exchange);
  const groups = Map.groupBy(
    facts.evidence.exchanges.filter(({ sent }) => sent.headers['idempotency-key'] !== undefined),
    (exchange) => {
      const token = tokenOf(exchange) ?? '';
      const principal = facts.holders.get(token)?.id ?? token;
      return [exchange.sent.path, exchange.sent.headers['idempotency-key'], principal].join(' ');
    },
  );
  for (const group of groups.values()) checkGroup(facts, group);
}

function checkRowsOnce({ rowsOfExchange, report }: Facts, exchange: Exchange): void {
  const seen = new Set<string>();
  for (const { action, entity, result, detail, ws, lane, actor } of rowsOfExchange.get(exchange.number) ??
    []) {
    if (SLICED.has(action)) continue;
    const text = JSON.stringify([action, entity, result, detail, ws, lane === 1, actor]);
    if (seen.has(text)) report('I6', `${nameOf(exchange)} left the row ${action} twice`);
    seen.add(text);
  }
}

function checkGroup(facts: Facts, group: readonly Exchange[]): void {
  const [first] = group;
  const made = MADE_BY_PATH.find(([path]) => first !== undefined && path.test(first.sent.path));
  if (first === undefined || made === undefined) return;
  const [, action, idOf] = made;
  const effects = group
    .flatMap(({ number }) => facts.rowsOfExchange.get(number) ?? [])
    .filter((row) => row.action === action && row.changes.some(({ kind }) => kind === 'idempotency'))
    .sort((a, b) => a.seq - b.seq);
  for (const [index, effect] of effects.entries()) {
    const earlier = effects[index - 1];
    // After a day the vault forgets the key, and the request is a new one.
    if (earlier !== undefined && !isDayLater(facts, earlier, effect)) {
      facts.report('I6', `the Idempotency-Key of ${nameOf(first)} took effect twice`);
    }
  }
  for (const exchange of group) checkAnswer(facts, exchange, effects, idOf);
}

function isDayLater({ evidence }: Facts, earlier: Row, later: Row): boolean {
  const skew = 60_000 + evidence.skew;
  return Date.parse(later.ts) - Date.parse(earlier.ts) > DAY_MS - skew;
}

function checkAnswer(
  { report }: Facts,
  exchange: Exchange,
  effects: readonly Row[],
  idOf: (json: View) => string,
): void {
  const { answer, number } = exchange;
  if (!isSuccess(answer)) return;
  const effect = effects.filter(({ step }) => step <= (exchange.end ?? 0)).at(-1);
  const json = jsonOf(answer);
  if (effect === undefined) report('I6', `${nameOf(exchange)} says yes, and nothing was made`);
  else if (idOf(json) !== resourceOf(effect)) report('I6', `${nameOf(exchange)} names another resource`);
  else if (effect.exchange !== number && json.key !== undefined) {
    report('I6', `${nameOf(exchange)} repeats a token`);
  }
}

/** What a request made: of a rotation, the new key. */
function resourceOf({ detail, entity }: Row): string {
  return detail['successor'] ?? entity.id;
}
