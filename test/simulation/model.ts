import type { Sent } from './evidence.ts';
import type { Row } from './facts.ts';
import type { PeopleModel } from './model-people.ts';
import { DELETED_ONLY, MUTATIONS, RECORDS } from './mutations.ts';
import { askedFor, patchOf } from './requests.ts';
import { Timeline } from './timeline.ts';

export interface SecretState {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly tags: readonly string[];
  readonly isCUI: boolean;
  readonly version: number;
  readonly revision: number;
  readonly createdBy: string;
  readonly updatedBy: string;
  /** When, by the row that deleted it. */
  readonly deletedAt?: string | undefined;
  readonly purging?: boolean;
}

export interface KeyState {
  readonly id: string;
  readonly role: string;
  readonly namespaces: readonly string[];
  readonly honeypot: boolean;
  readonly expiresAt?: string | undefined;
  readonly revoked: boolean;
  readonly isRotated: boolean;
}

const PLATFORM = '_platform';
const ACCOUNT: ReadonlySet<string> = new Set(['user', 'userEmail', 'mfa']);
/** A member is removed by somebody else, who thereby takes the workspace off the member's list. */
const TIDYING: ReadonlySet<string> = new Set(['user.left_workspace', 'user.joined_workspace']);
const RANKS = ['viewer', 'operator', 'admin', 'owner'];
const RECOVERY_MS = 7 * 24 * 60 * 60 * 1000;
/** Functions' clocks differ, and a row may be written a while after its time was read. */
const TOLERANCE_MS = 5 * 60 * 1000;

/**
 * A workspace as a user's manual would describe it: a plain map of secrets, names, namespaces and keys. It is told the
 * rows in their order; what each did is read off the request that caused it, never off the stored entities. A step
 * that the manual does not allow is an error.
 */
export class WorkspaceModel {
  readonly secrets = new Timeline<SecretState>();
  /** `<namespace>/<name>` to the secret that has the name. */
  readonly names = new Timeline<string>();
  readonly namespaces = new Timeline<'open' | 'closing'>();
  readonly keys = new Timeline<KeyState>();
  /** `<secret>.<version>` to the value. Kept for good. */
  readonly values = new Map<string, string>();
  readonly #people: PeopleModel;
  /** By how much times may differ, in milliseconds. */
  readonly #tolerance: number;
  readonly #fail: (row: Row, problem: string) => void;

  constructor(people: PeopleModel, skew: number, fail: (row: Row, problem: string) => void) {
    this.#people = people;
    this.#tolerance = TOLERANCE_MS + skew;
    this.#fail = fail;
  }

  /** @param since the step at which the request was received: its rights are those of then. */
  apply(row: Row, sent: Sent | undefined, since: number): void {
    if (row.changes.length === 0) {
      this.#applyNothing(row);
      return;
    }
    const kinds = row.changes.map(({ kind }) => kind).filter((kind) => !RECORDS.has(kind));
    const [expected, least] = MUTATIONS[row.action] ?? [];
    if (expected === undefined) {
      this.#fail(row, 'changes something');
      return;
    }
    if (!expected.test(kinds.join(' '))) this.#fail(row, `changes ${kinds.join(', ')}`);
    if (row.actor.type === 'api_key' && row.ws !== PLATFORM)
      this.#checkRights(row, least ?? 'owner', this.#namespaceOf(row));
    if (row.actor.type === 'user') this.#checkRole(row, least ?? 'owner', since);
    const [subject] = row.action.split('.');
    if (subject === 'namespace') this.#applyToNamespace(row);
    else if (subject === 'api_key') this.#applyToKey(row, sent, since);
    else if (row.action === 'secret.created') this.#createSecret(row, sent);
    else if (subject === 'secret' && row.action !== 'secret.imported') this.#applyToSecret(row, sent);
  }

  /** A row without changes must not claim any. */
  #applyNothing(row: Row): void {
    const [expected] = MUTATIONS[row.action] ?? [];
    const isClaim = expected !== undefined && !expected.test('') && row.result === 'success';
    if (isClaim && row.detail['replayed'] !== 'true') this.#fail(row, 'changed nothing');
  }

  #checkRights(row: Row, least: string, namespace: string | undefined): void {
    const key = this.keys.last(row.actor.id);
    if (key === undefined) {
      this.#fail(row, 'was done with a key that does not exist');
      return;
    }
    if (least !== '-' && RANKS.indexOf(key.role) < RANKS.indexOf(least))
      this.#fail(row, `was done by a ${key.role}`);
    const mayEnter = namespace === undefined || isAllowed(key, namespace);
    if (!mayEnter) this.#fail(row, `was done by a key that is not allowed in ${namespace}`);
  }

  /** People's rights are those of some moment while the request was under way. What they do to an account is to their own. */
  #checkRole(row: Row, least: string, since: number): void {
    const { ws, actor } = row;
    const isAccount = row.changes.some(({ kind }) => ACCOUNT.has(kind));
    if (isAccount && row.entity.id !== actor.id && !TIDYING.has(row.action))
      this.#fail(row, "changes somebody else's account");
    if (ws === PLATFORM || least === '-') return;
    const roles = this.#people.roles.during(`${ws}/${actor.id}`, since, row.step);
    const isLeaving = row.action === 'member.removed' && row.entity.id === actor.id;
    const needed = least === 'anyone' || isLeaving ? 'viewer' : least;
    if (!roles.some((role) => role !== undefined && hasRole({ role }, needed)))
      this.#fail(row, `was done by a ${roles.at(-1) ?? 'stranger'}`);
  }

  #namespaceOf(row: Row): string | undefined {
    if (row.entity.type === 'namespace') return row.entity.id;
    const named = row.changes.find(({ kind }) => kind === 'secretName')?.id.split('/')[0];
    return this.secrets.last(row.entity.id)?.namespace ?? named;
  }

  #applyToNamespace(row: Row): void {
    const { id } = row.entity;
    const state = this.namespaces.last(id);
    const isEmpty = !this.names.keys().some((name) => name.startsWith(`${id}/`) && this.names.last(name));
    switch (row.action) {
      case 'namespace.created':
        if (state !== undefined) this.#fail(row, 'was there already');
        this.namespaces.set(id, row.step, 'open');
        break;
      case 'namespace.closed':
        if (state !== 'open') this.#fail(row, 'was not open');
        this.namespaces.set(id, row.step, 'closing');
        break;
      case 'namespace.reopened':
        if (state !== 'closing') this.#fail(row, 'was not closed');
        this.namespaces.set(id, row.step, 'open');
        break;
      case 'namespace.deleted':
        if (state !== 'closing' || !isEmpty) this.#fail(row, 'was not closed and empty');
        this.namespaces.set(id, row.step, undefined);
        break;
    }
  }

  #createSecret(row: Row, sent: Sent | undefined): void {
    const { id } = row.entity;
    const fullName = row.changes.find(({ kind }) => kind === 'secretName')?.id ?? '';
    const [namespace = '', name = ''] = fullName.split('/');
    const asked = namespace === sent?.body?.['namespace'] ? askedFor(sent, name) : undefined;
    if (asked === undefined) {
      this.#fail(row, 'was not asked for');
      return;
    }
    if (this.names.last(fullName) !== undefined) this.#fail(row, `took the name ${fullName} from another`);
    if (this.namespaces.last(namespace) !== 'open')
      this.#fail(row, `went into ${namespace}, which is not open`);
    const { value, ...metadata } = asked;
    const author = row.actor.id;
    const numbers = { version: 1, revision: 1 };
    this.secrets.set(id, row.step, {
      id,
      namespace,
      name,
      ...metadata,
      ...numbers,
      createdBy: author,
      updatedBy: author,
    });
    this.names.set(fullName, row.step, id);
    this.values.set(`${id}.1`, value);
  }

  #applyToSecret(row: Row, sent: Sent | undefined): void {
    const { id } = row.entity;
    const before = this.secrets.last(id);
    if (before === undefined) {
      this.#fail(row, 'changes a secret that is not there');
      return;
    }
    this.#checkPrecondition(row, sent, before);
    const age = Date.parse(row.ts) - Date.parse(before.deletedAt ?? row.ts);
    const byJob = row.actor.type === 'system';
    const next = { ...before, revision: before.revision + 1, ...(byJob ? {} : { updatedBy: row.actor.id }) };
    const put = (state: SecretState | undefined): void => this.secrets.set(id, row.step, state);
    if (DELETED_ONLY.has(row.action) !== (before.deletedAt !== undefined)) {
      this.#fail(row, before.deletedAt === undefined ? 'is not deleted' : 'is deleted');
    }
    switch (row.action) {
      case 'secret.updated':
        put({ ...next, ...patchOf(sent) });
        break;
      case 'secret.value_updated':
      case 'secret.rolled_back':
        this.values.set(`${id}.${before.version + 1}`, this.#newValue(row, sent, before) ?? '');
        if (row.detail['version'] !== String(before.version + 1)) this.#fail(row, 'skips a version');
        put({ ...next, version: before.version + 1 });
        break;
      case 'secret.deleted':
        put({ ...next, deletedAt: row.ts });
        break;
      case 'secret.restored':
        if (before.purging || age > RECOVERY_MS + this.#tolerance) this.#fail(row, 'came too late');
        put({ ...next, deletedAt: undefined });
        break;
      case 'secret.purge_started':
        if (byJob && !before.purging && age < RECOVERY_MS - this.#tolerance)
          this.#fail(row, 'came too early');
        // Later slices destroy more versions, and leave the secret as it is.
        if (!before.purging) put({ ...next, updatedBy: before.updatedBy, purging: true });
        break;
      case 'secret.purged':
        if (!before.purging) this.#fail(row, 'was not started');
        this.names.set(`${before.namespace}/${before.name}`, row.step, undefined);
        put(undefined);
        break;
    }
  }

  #newValue(row: Row, sent: Sent | undefined, before: SecretState): string | undefined {
    if (row.action === 'secret.rolled_back') {
      if (row.detail['from'] !== String(sent?.body?.['version'])) this.#fail(row, 'goes back elsewhere');
      return this.values.get(`${before.id}.${row.detail['from']}`);
    }
    const value = sent?.method === 'PUT' ? sent.body?.['value'] : askedFor(sent, before.name)?.value;
    if (typeof value !== 'string') this.#fail(row, 'writes a value that nobody sent');
    return typeof value === 'string' ? value : undefined;
  }

  #checkPrecondition(row: Row, sent: Sent | undefined, before: SecretState): void {
    const wanted = sent?.headers['if-match'];
    if (wanted === undefined || wanted === '*' || wanted === `"v${before.revision}"`) return;
    // A purge takes its first step under the precondition, and the others after that.
    if (!before.purging) this.#fail(row, `was done at v${before.revision} although If-Match was ${wanted}`);
  }

  #applyToKey(row: Row, sent: Sent | undefined, since: number): void {
    const { id } = row.entity;
    const before = this.keys.last(id);
    if (row.action === 'api_key.created') {
      const isOwner = sent === undefined || sent.path === '/setup';
      const rights = isOwner ? { role: 'owner', namespaces: ['*'] } : sent.body;
      const { role, namespaces, honeypot = false, expiresAt } = rights as unknown as KeyState;
      if (before !== undefined) this.#fail(row, 'was there already');
      const made = { id, role, namespaces, honeypot, expiresAt, revoked: false, isRotated: false };
      this.#checkHeir(row, made, since);
      this.keys.set(id, row.step, made);
      return;
    }
    if (before === undefined || before.revoked) {
      this.#fail(row, 'is no key that works');
      return;
    }
    if (row.action === 'api_key.revoked') {
      this.keys.set(id, row.step, { ...before, revoked: true });
      return;
    }
    const successor = row.detail['successor'] ?? '';
    if (before.isRotated) this.#fail(row, 'was rotated already');
    this.#checkHeir(row, before, since);
    this.keys.set(id, row.step, { ...before, expiresAt: row.detail['expiresAt'], isRotated: true });
    this.keys.set(successor, row.step, { ...before, id: successor });
  }

  /** Nobody makes a key that may do more, or for longer, than their own. */
  #checkHeir(row: Row, heir: KeyState, since: number): void {
    const maker = row.actor.type === 'api_key' ? this.keys.at(row.actor.id, since) : undefined;
    if (maker === undefined) return;
    const mayMore = !hasRole(maker, heir.role) || !heir.namespaces.every((name) => isAllowed(maker, name));
    const outlives = maker.expiresAt !== undefined && !((heir.expiresAt ?? '9') <= maker.expiresAt);
    if (mayMore || outlives) this.#fail(row, 'makes a key that may more than its maker');
  }
}

export function isAllowed({ namespaces }: Pick<KeyState, 'namespaces'>, namespace: string): boolean {
  return namespaces.includes('*') || namespaces.includes(namespace);
}

export function hasRole({ role }: Pick<KeyState, 'role'>, least: string): boolean {
  return RANKS.indexOf(role) >= RANKS.indexOf(least);
}
