import { type Facts, jsonOf, nameOf, type Row } from './facts.ts';
import { hasRole, isAllowed } from './model.ts';
import { type Observed, type Rights, rightsDuring } from './observed.ts';

const PLATFORM = '_platform';

/** Refusals that come after a part of the work was done, and say so. */
const PARTIAL: readonly (readonly [method: string, path: RegExp])[] = [
  // It is closed while somebody looks whether it is empty.
  ['DELETE', /^\/namespaces\//],
  // A secret is marked before it is destroyed, and many versions go in slices.
  ['DELETE', /^\/secrets\//],
  // Slices of 20.
  ['POST', /^\/secrets\/import$/],
  // Made, and deleted by somebody else before it could be shown.
  ['POST', /^\/namespaces$/],
  // The code is used up before the session turns out to have changed.
  ['POST', /^\/auth\/step-up$/],
  // Invitations go first, then the member, who may be gone by then.
  ['DELETE', /^\/workspace\/members\//],
];

/** The refusals that leave no row with the caller's name: they are a stranger's. */
const STRANGERS: ReadonlySet<string> = new Set(['unauthenticated', 'csrf_refused']);

/**
 * A refusal has its reason: what it says was so while the request was under way. A refusal for good has no effect, and
 * a row that tells of it. Whoever's key is over is refused.
 */
export function checkRefusal(observed: Observed): void {
  const { facts, exchange, answer, holder, fail } = observed;
  if (answer.status === 503) return;
  const rows = facts.rowsOfExchange.get(exchange.number) ?? [];
  const changing = rows.filter(({ changes }) => changes.length > 0);
  const isPartial = PARTIAL.some(
    ([method, path]) => method === exchange.sent.method && path.test(exchange.sent.path),
  );
  if (changing.length > 0 && !isPartial) fail('says no, and did it');
  const isRecorded = (row: Row): boolean => row.result !== 'success' && row.actor.id === holder.id;
  const { code } = jsonOf(answer);
  if (!STRANGERS.has(code) && !rows.some(isRecorded)) fail('left no row of the refusal');
  if (REASONS[code]?.(observed) === false) fail(`says ${code}, and it was not so`);
}

/** Whether the code of a refusal could be true. Codes that are not listed are not judged. */
const REASONS: { readonly [code: string]: (observed: Observed) => boolean } = {
  unauthenticated: (observed) =>
    observed.holder.type === 'user' || keyStates(observed).some((key) => isOver(key, observed)),
  forbidden: (observed) => {
    // A key that ends makes none that outlives it.
    const isMortal = keyStates(observed).some(
      (key) => key?.expiresAt !== undefined && observed.exchange.sent.path.startsWith('/api-keys'),
    );
    const isLimited = (rights: Rights | undefined): boolean =>
      rights === undefined || !hasRole(rights, 'owner') || !isAllowed(rights, '*');
    // An administrator may have logged somebody out where they want to go.
    const isMove = observed.exchange.sent.path === '/auth/switch-workspace';
    return isMortal || isMove || rightsDuring(observed).some(isLimited);
  },
  not_found: (observed) => isVersioned(observed) || targetStates(observed).includes(undefined),
  secret_deleted: (observed) => targetStates(observed).some((state) => state?.deletedAt !== undefined),
  not_deleted: (observed) => targetStates(observed).some((state) => state?.deletedAt === undefined),
  precondition_failed: ({ exchange, model, start, end }) => {
    const { headers, body = {} } = exchange.sent;
    if (headers['if-none-match'] === '*') {
      return model.names
        .during(`${body['namespace']}/${body['name']}`, start, end)
        .some((id) => id !== undefined);
    }
    const id = exchange.sent.path.split('/')[2] ?? '';
    const wanted = headers['if-match'];
    return model.secrets.during(id, start, end).some((state) => wanted !== `"v${state?.revision}"`);
  },
  name_taken: ({ exchange, model, start, end }) => {
    const { namespace, name } = exchange.sent.body ?? {};
    return exchange.sent.path === '/namespaces'
      ? model.namespaces.during(String(name), start, end).some((state) => state !== undefined)
      : model.names.during(`${namespace}/${name}`, start, end).some((id) => id !== undefined);
  },
  already_revoked: (observed) => targetKeys(observed).some((key) => isOver(key, observed)),
  already_rotated: (observed) => targetKeys(observed).some((key) => key?.isRotated),
  concurrent_change: (observed) => hasRival(observed),
};

function keyStates({ model, holder, start, end }: Observed) {
  return model.keys.during(holder.id, start, end);
}

/** The states of the key that the path names. */
function targetKeys({ model, exchange, start, end }: Observed) {
  return model.keys.during(exchange.sent.path.split('/')[2] ?? '', start, end);
}

type Key = ReturnType<typeof keyStates>[number];

function isOver(key: Key, { exchange }: Observed): boolean {
  const now = exchange.endTime ?? Number.MAX_SAFE_INTEGER;
  if (key === undefined || key.honeypot || key.revoked) return true;
  return key.expiresAt !== undefined && Date.parse(key.expiresAt) <= now;
}

/** The states of what the path names: a secret, a key, a namespace, or a secret by its name. */
function targetStates({
  exchange,
  model,
  people,
  holder,
  start,
  end,
}: Observed): ({ deletedAt?: string | undefined } | undefined)[] {
  const [, root, id = '', named = '', name] = exchange.sent.path.split('/');
  if (root === 'workspace' && id === 'members')
    return people.roles.during(`${holder.workspaceId}/${named}`, start, end).map((role) => role && {});
  if (root === 'api-keys') return model.keys.during(id, start, end).map((key) => key && {});
  if (root === 'secrets') return model.secrets.during(id, start, end);
  if (name === undefined) return model.namespaces.during(id, start, end).map((state) => state && {});
  const ids = model.names.during(`${id}/${name}`, start, end);
  return ids.flatMap((secretId) =>
    secretId === undefined ? [undefined] : model.secrets.during(secretId, start, end),
  );
}

/** Some requests name a version, too, which may not be there. */
function isVersioned({ exchange }: Observed): boolean {
  return exchange.sent.body?.['version'] !== undefined;
}

/** Somebody else changed something in this workspace meanwhile, or a namespace is on its way out. */
function hasRival({ facts, model, exchange, holder, start, end }: Observed): boolean {
  const isRival = (row: Row): boolean =>
    (row.ws === holder.workspaceId || row.ws === PLATFORM) &&
    row.changes.length > 0 &&
    row.exchange !== exchange.number &&
    row.step > start &&
    row.step <= end;
  const isClosing = model.namespaces
    .keys()
    .some((name) => model.namespaces.during(name, start, end).includes('closing'));
  const wasForgotten = facts.evidence.forgotten.some(({ step }) => step > start && step <= end);
  return isClosing || wasForgotten || facts.rows.some(isRival);
}

/** I7: a key that is over when a request starts gets it nothing. */
export function checkOver({ facts, model, exchange, answer, holder, start, end }: Observed): void {
  const isOverAtStart = (key: Key): boolean =>
    key === undefined ||
    key.honeypot ||
    key.revoked ||
    (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= exchange.startTime);
  const isOverThroughout = model.keys.during(holder.id, start, end).every(isOverAtStart);
  if (isOverThroughout && answer.status !== 401 && answer.status !== 503) {
    facts.report('I7', `${nameOf(exchange)} was served with a key that is over`);
  }
}

/**
 * Whoever came without valid credentials, or asked for too much, is told of in a row, unless the vault had its troubles
 * with that address.
 */
export function checkStrangers({ evidence, rows, rowsOfExchange, report }: Facts): void {
  const told = new Set(
    rows.flatMap(({ action, ip, detail }) =>
      action === 'authentication.failed' ? [ip, detail['sourceIp']] : [],
    ),
  );
  const byAddress = Map.groupBy(evidence.exchanges, ({ sent }) => sent.ip);
  for (const [address, exchanges] of byAddress) {
    const hadTroubles = exchanges.some(({ answer }) => answer === undefined || answer.status >= 500);
    const wasRefused = exchanges.some(
      ({ answer, number }) =>
        (answer?.status === 401 || answer?.status === 429) &&
        // Whoever fails within a session is told of by name.
        !rowsOfExchange.get(number)?.some(({ result }) => result !== 'success'),
    );
    if (wasRefused && !hadTroubles && !told.has(address))
      report('I1', `no row tells of the refusals to ${address}`);
  }
}
