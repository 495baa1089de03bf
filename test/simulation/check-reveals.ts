import { tokenOf } from './credentials.ts';
import type { Decryption } from './evidence.ts';
import { type Facts, isSuccess, jsonOf, nameOf, type Row } from './facts.ts';

const OPENING: ReadonlySet<string> = new Set([
  'secret.revealed',
  'secret.rollback_requested',
  'authentication.mfa_attempted',
]);
const CALLERS: ReadonlySet<string> = new Set(['api_key', 'user']);
const PLATFORM = '_platform';

/**
 * I1, reveals, and I8: every value that is opened has a row of its own before it, which names the secret, the version
 * and who asked; and so does every value that a client received. Data keys are zeroed after use.
 */
export function checkReveals(facts: Facts): void {
  checkDecryptions(facts);
  checkReceived(facts);
  checkZeroed(facts);
}

function checkDecryptions(facts: Facts): void {
  const { evidence, report } = facts;
  const used = new Set<Row>();
  for (const { step, exchange, context } of evidence.decryptions) {
    const rows = exchange === undefined ? [] : openings(facts, exchange);
    const row = rows.find(
      (one) =>
        !used.has(one) &&
        one.step >= 0 &&
        one.step < step &&
        one.entity.id === context.secretId &&
        isPlaceOf(one, context),
    );
    if (row === undefined) {
      report(
        'I1',
        `exchange ${exchange} opened version ${context.version} of ${context.secretId} without a row`,
      );
    } else used.add(row);
  }
}

/** The secret of a person's app lies on the platform, and where they work stands who looked at it. */
function isPlaceOf({ ws, action, detail }: Row, { workspaceId, version }: Decryption['context']): boolean {
  if (workspaceId === PLATFORM) return action === 'authentication.mfa_attempted';
  return ws === workspaceId && detail['version'] === version;
}

function checkReceived(facts: Facts): void {
  const { evidence, holders, report } = facts;
  for (const exchange of evidence.exchanges) {
    const { answer } = exchange;
    if (!isSuccess(answer) || !answer.text.includes('"value"')) continue;
    const holder = holders.get(tokenOf(exchange) ?? '');
    const json = jsonOf(answer);
    for (const { id, version } of json.items ?? [json]) {
      const row = openings(facts, exchange.number).find(
        ({ entity, detail, actor }) =>
          entity.id === id && detail['version'] === String(version) && actor.id === holder?.id,
      );
      if (row === undefined) report('I1', `${nameOf(exchange)} received ${id} without a row`);
      else if (row.step > (exchange.end ?? 0))
        report('I1', `${nameOf(exchange)} was answered before its row`);
    }
  }
}

function openings(facts: Facts, exchange: number): Row[] {
  return (facts.rowsOfExchange.get(exchange) ?? []).filter(
    ({ action, result, actor }) => OPENING.has(action) && result === 'success' && CALLERS.has(actor.type),
  );
}

function checkZeroed({ evidence, report }: Facts): void {
  for (const { key, exchange } of evidence.dataKeys) {
    const hasEnded = exchange !== undefined && evidence.exchanges[exchange]?.answer !== undefined;
    if (hasEnded && key.some((byte) => byte !== 0))
      report('I4', `exchange ${exchange} left a data key unzeroed`);
  }
}
