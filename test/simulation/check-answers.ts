import { checkLists } from './check-lists.ts';
import { checkPeopleLists } from './check-people-lists.ts';
import type { Sent } from './evidence.ts';
import { jsonOf, type Row } from './facts.ts';
import type { WorkspaceModel } from './model.ts';
import { isShown, type Observed } from './observed.ts';
import { importedValues } from './requests.ts';

/** What a success of each request must have left, as the action of a row. */
const EFFECTS: readonly (readonly [method: string, path: RegExp, action: string])[] = [
  ['POST', /^\/namespaces$/, 'namespace.created'],
  ['DELETE', /^\/namespaces\/[^/]+$/, 'namespace.deleted'],
  ['POST', /^\/secrets$/, 'secret.created'],
  ['POST', /^\/secrets\/import$/, 'secret.imported'],
  ['PATCH', /^\/secrets\/[^/]+$/, 'secret.updated'],
  ['PUT', /^\/secrets\/[^/]+\/value$/, 'secret.value_updated'],
  ['POST', /^\/secrets\/[^/]+\/restore$/, 'secret.restored'],
  ['POST', /^\/secrets\/[^/]+\/rollback$/, 'secret.rolled_back'],
  ['POST', /^\/api-keys$/, 'api_key.created'],
  ['POST', /^\/api-keys\/[^/]+\/rotate$/, 'api_key.rotated'],
  ['DELETE', /^\/api-keys\/[^/]+$/, 'api_key.revoked'],
  ['POST', /^\/auth\/logout$/, 'session.ended'],
  ['DELETE', /^\/auth\/sessions\/[^/]+$/, 'session.ended'],
  ['POST', /^\/auth\/sessions\/revoke-all$/, 'session.all_revoked'],
  ['POST', /^\/auth\/switch-workspace$/, 'session.switched'],
  ['POST', /^\/auth\/step-up$/, 'authentication.stepped_up'],
  ['POST', /^\/auth\/password$/, 'user.password_changed'],
  ['POST', /^\/auth\/mfa\/totp$/, 'user.mfa_enrollment_started'],
  ['POST', /^\/auth\/mfa\/totp\/confirm$/, 'user.mfa_enabled'],
  ['DELETE', /^\/auth\/mfa\/totp$/, 'user.mfa_disabled'],
  ['POST', /^\/auth\/mfa\/backup-codes$/, 'user.backup_codes_replaced'],
  ['PATCH', /^\/workspace$/, 'workspace.updated'],
  ['POST', /^\/workspace\/invitations$/, 'member.invited'],
  ['DELETE', /^\/workspace\/invitations\/[^/]+$/, 'invitation.revoked'],
  ['PATCH', /^\/workspace\/members\/[^/]+$/, 'member.role_changed'],
  ['DELETE', /^\/workspace\/members\/[^/]+\/sessions$/, 'member.signed_out'],
  ['DELETE', /^\/workspace\/members\/[^/]+$/, 'member.removed'],
];

/** What a request was told is what it did: the effect is there, and the answer shows it as it was. */
export function checkSuccess(observed: Observed): void {
  const { exchange, answer, holder, fail } = observed;
  const { method, path } = exchange.sent;
  const rows = ownRows(observed);
  if (!rows.some(({ actor, result }) => actor.id === holder.id && result !== 'denied')) fail('left no row');
  const effect = effectOf(exchange.sent);
  const row = rows.find(
    ({ action, result, lane }) => action === effect && result === 'success' && lane !== 1,
  );
  if (effect !== undefined && row === undefined) fail(`says yes, and there is no ${effect}`);

  const isOneSecret = /^\/secrets(\/sec_[0-9a-f]+(\/value|\/restore|\/rollback)?)?$/.test(path);
  if (path.endsWith('/reveal') || (path.endsWith('/value') && method === 'GET')) checkValues(observed);
  else if (path === '/secrets/import') checkImport(observed);
  else if (isOneSecret && answer.status !== 204 && !(method === 'GET' && path === '/secrets')) {
    checkMetadata(observed, row);
  } else checkLists(observed);
  checkPeopleLists(observed);
}

function ownRows({ facts, exchange, end }: Observed): Row[] {
  return (facts.rowsOfExchange.get(exchange.number) ?? []).filter(({ step }) => step <= end);
}

function effectOf({ method, path, query }: Sent): string | undefined {
  if (method === 'DELETE' && path.startsWith('/secrets/')) {
    return query?.['purge'] === 'true' ? 'secret.purged' : 'secret.deleted';
  }
  return EFFECTS.find(([verb, pattern]) => verb === method && pattern.test(path))?.[2];
}

/** A writer is shown what it wrote; whoever only reads, or repeats, what was so meanwhile. */
function checkMetadata({ model, answer, start, end, fail }: Observed, row: Row | undefined): void {
  const view = jsonOf(answer);
  const isOwnEffect = row !== undefined && row.detail['replayed'] === undefined;
  const states = isOwnEffect
    ? [model.secrets.at(view.id, row.step)]
    : model.secrets.during(view.id, start, end);
  if (!states.some((state) => state !== undefined && isShown(view, state))) fail('shows what was never so');
}

function checkValues({ model, exchange, answer, start, end, fail }: Observed): void {
  const { path, body = {} } = exchange.sent;
  if (answer.status === 304) {
    const { id } = nameInPath(path, model, start, end);
    const tags = exchange.sent.headers['if-none-match'] ?? '';
    const states = model.secrets.during(id, start, end);
    if (!states.some((state) => tags.includes(`"v${state?.revision}"`))) fail('says that nothing changed');
    return;
  }
  const json = jsonOf(answer);
  const items = json.items ?? [json];
  for (const { id, name, version, value } of items) {
    const states = model.secrets.during(id, start, end).filter((state) => state?.deletedAt === undefined);
    const isCurrent = states.some((state) => state?.version === version);
    if (body['version'] === undefined ? !isCurrent : version !== body['version']) fail('has another version');
    if (!states.some((state) => state?.name === name)) fail('reveals what is not there');
    if (model.values.get(`${id}.${version}`) !== value)
      fail(`reveals another value than was stored in ${id}`);
  }
  if (path === '/secrets/reveal' && Array.isArray(body['ids'])) {
    const told = [...items, ...json.errors].map(({ id }) => id).sort();
    if (JSON.stringify(told) !== JSON.stringify([...new Set(body['ids'])].sort())) fail('leaves some out');
  }
}

function nameInPath(
  path: string,
  model: WorkspaceModel,
  start: number,
  end: number,
): { readonly id: string } {
  const [, , namespace, , name] = path.split('/');
  const ids = model.names.during(`${namespace}/${name}`, start, end);
  return { id: ids.find((id) => id !== undefined) ?? '' };
}

function checkImport({ model, exchange, answer, end, fail }: Observed): void {
  const { body = {} } = exchange.sent;
  const { items = [] } = jsonOf(answer);
  const asked = importedValues(body);
  if (items.length !== Object.keys(asked).length) fail('leaves some out');
  for (const { id, name, outcome } of items) {
    const state = model.secrets.during(id, -1, end).find((one) => one?.name === name);
    if (state?.namespace !== body['namespace']) fail(`names ${id}, which was never there`);
    const versions = Array.from({ length: 100 }, (_, index) => model.values.get(`${id}.${index + 1}`));
    if (outcome !== 'skipped' && !versions.includes(asked[name])) fail(`says that ${name} is stored`);
  }
}
