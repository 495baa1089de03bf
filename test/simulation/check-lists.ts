import { jsonOf } from './facts.ts';
import { isAllowed, type SecretState } from './model.ts';
import { isShown, type Observed, rightsAt } from './observed.ts';

/** Answers that list things: each thing was so while the request was under way, and none is missing. */
export function checkLists(observed: Observed): void {
  const { exchange, fail } = observed;
  const { method, path } = exchange.sent;
  if (method === 'GET' && path === '/secrets') checkSecrets(observed);
  else if (path === '/namespaces' && method === 'GET') checkNamespaces(observed);
  else if (path === '/api-keys' && method === 'GET') checkKeys(observed);
  else if (/\/versions$/.test(path)) checkVersions(observed);
  else if (path === '/audit') checkEvents(observed);
  else if (path === '/audit/export') checkExport(observed);
  else if (path === '/audit/verify' && !jsonOf(observed.answer).ok) fail('finds fault with an honest trail');
}

function checkSecrets(observed: Observed): void {
  const { model, exchange, answer, start, end, fail } = observed;
  const { query = {} } = exchange.sent;
  const { items = [], nextCursor } = jsonOf(answer);
  const mayShow = (state: SecretState | undefined): boolean => state !== undefined && passes(observed, state);
  for (const item of items) {
    const states = model.secrets.during(item.id, start, end);
    if (!states.some((state) => state !== undefined && mayShow(state) && isShown(item, state))) {
      fail(`lists ${item.id} as it never was`);
    }
  }
  if (nextCursor !== null || query['cursor'] !== undefined) return;
  const listed = new Set(items.map(({ id }) => id));
  for (const id of model.secrets.keys()) {
    const isAlwaysThere = model.secrets.during(id, start, end).every(mayShow);
    if (isAlwaysThere && !listed.has(id)) fail(`leaves out ${id}`);
  }
}

/** Whether this state belongs into the answer to this caller with these filters. */
function passes(observed: Observed, state: SecretState): boolean {
  const { query = {} } = observed.exchange.sent;
  const key = rightsAt(observed, observed.start);
  if (key === undefined || !isAllowed(key, state.namespace)) return false;
  if ((state.deletedAt !== undefined) !== (query['deleted'] === 'true')) return false;
  if (query['namespace'] !== undefined && state.namespace !== query['namespace']) return false;
  if (query['tag'] !== undefined && !state.tags.includes(query['tag'])) return false;
  return query['isCUI'] === undefined || String(state.isCUI) === query['isCUI'];
}

function checkNamespaces(observed: Observed): void {
  const { model, exchange, answer, start, end, fail } = observed;
  const { items = [], nextCursor } = jsonOf(answer);
  const key = rightsAt(observed, start);
  const listed = new Set(items.map(({ name }) => name));
  for (const name of listed) {
    const wasThere = model.namespaces.during(name, start, end).some((state) => state !== undefined);
    if (!wasThere || key === undefined || !isAllowed(key, name)) fail(`lists ${name}`);
  }
  if (nextCursor !== null || exchange.sent.query?.['cursor'] !== undefined || key === undefined) return;
  for (const name of model.namespaces.keys()) {
    const isAlwaysThere = model.namespaces.during(name, start, end).every((state) => state !== undefined);
    if (isAlwaysThere && isAllowed(key, name) && !listed.has(name)) fail(`leaves out ${name}`);
  }
}

function checkKeys({ model, exchange, answer, start, end, fail }: Observed): void {
  const { items = [], nextCursor } = jsonOf(answer);
  for (const item of items) {
    const isSo = model.keys
      .during(item.id, start, end)
      .some(
        (state) =>
          state !== undefined &&
          state.role === item.role &&
          state.revoked === (item.revokedAt !== undefined) &&
          state.expiresAt === item.expiresAt &&
          JSON.stringify(state.namespaces) === JSON.stringify(item.namespaces),
      );
    if (!isSo) fail(`lists ${item.id} as it never was`);
  }
  if (nextCursor !== null || exchange.sent.query?.['cursor'] !== undefined) return;
  const listed = new Set(items.map(({ id }) => id));
  for (const id of model.keys.keys()) {
    if (model.keys.at(id, start) !== undefined && !listed.has(id)) fail(`leaves out ${id}`);
  }
}

function checkVersions({ model, exchange, answer, start, end, fail }: Observed): void {
  const id = exchange.sent.path.split('/')[2] ?? '';
  const newest = model.secrets.during(id, start, end).map((state) => state?.version ?? 0);
  const { items = [], nextCursor } = jsonOf(answer);
  const versions: number[] = items.map(({ version }) => version);
  const expected = versions.map((_, index) => (versions[0] ?? 0) - index);
  if (JSON.stringify(versions) !== JSON.stringify(expected)) fail('leaves out a version');
  if (exchange.sent.query?.['cursor'] !== undefined) return;
  if (!newest.includes(versions[0] ?? -1)) fail('starts with a version that was not the newest');
  if (nextCursor === null && versions.at(-1) !== 1) fail('ends before the first version');
}

function checkEvents({ facts, answer, holder, end, fail }: Observed): void {
  const own = facts.rows.filter(({ ws }) => ws === holder.workspaceId);
  for (const item of jsonOf(answer).items ?? []) {
    const row = own.find(({ lane, seq }) => `${lane}-${seq}` === item.id);
    const isSame =
      row?.stored.hash === item.hash && row?.action === item.action && row?.actor.id === item.actor.id;
    if (row === undefined || !isSame || row.step > end) fail(`tells the event ${item.id} as it is not`);
  }
}

function checkExport({ facts, exchange, answer, holder, start, fail }: Observed): void {
  const own = facts.rows.filter(({ ws }) => ws === holder.workspaceId);
  const [, ...lines] = answer.text.trimEnd().split('\r\n');
  const told = new Map(lines.map((line) => [line.slice(0, line.indexOf(',')), line]));
  for (const [id, line] of told) {
    const row = own.find(({ lane, seq }) => `${lane}-${seq}` === id);
    const { actor, action, entity, ip, ts } = row ?? {};
    const expected = [id, actor?.id, action, entity?.type, entity?.id, ip, ts].join(',');
    if (line !== expected) fail(`exports the event ${id} as it is not`);
  }
  const { from, to, cursor } = exchange.sent.query ?? {};
  if (from !== undefined || to !== undefined || cursor !== undefined) return;
  for (const { lane, seq, step } of own) {
    if (step < start && !told.has(`${lane}-${seq}`)) fail(`leaves out the event ${lane}-${seq}`);
  }
}
