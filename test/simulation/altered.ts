import type { AuditTrail } from '../../core/audit/trail.ts';
import type { Bookkeeping } from '../../core/identity/bookkeeping.ts';
import type { Change, Entity } from '../../core/kernel/entity.ts';
import type { Store } from '../../core/kernel/store.ts';
import { cookieOf } from './credentials.ts';
import type { Instance } from './instance.ts';
import type { Ports } from './ports.ts';
import type { World } from './world.ts';

interface Fields {
  readonly [name: string]: unknown;
}

type Alter = (entity: Fields, store: Store) => Fields | Promise<Fields>;

/** A store that gives the entities of one kind otherwise than they are. */
export function alterRead(kind: string, alter: Alter): (store: Store) => Store {
  return (store) => ({
    ...store,
    get: async (of, workspaceId, id) => {
      const found = await store.get(of, workspaceId, id);
      return found === undefined || of.name !== kind
        ? found
        : ((await alter(found as never, store)) as never);
    },
    find: async (of, id) => {
      const found = await store.find(of, id);
      return found === undefined || of.name !== kind
        ? found
        : ((await alter(found as never, store)) as never);
    },
  });
}

export function withStore(ports: Ports, alter: (store: Store) => Store): Ports {
  return { ...ports, store: alter(ports.store) };
}

export function withBookkeeping(ports: Ports, altered: Partial<Bookkeeping>): Ports {
  const bookkeeping = new Proxy(ports.bookkeeping, {
    get: (target, name: keyof Bookkeeping) => altered[name] ?? target[name].bind(target),
  });
  return { ...ports, bookkeeping };
}

/** A trail that writes what an action changes otherwise than it was told. */
export function alterChanges(
  action: string,
  alter: (entity: Fields) => Fields,
): (trail: AuditTrail) => AuditTrail {
  const altered = (change: Change): Change =>
    change.op === 'put' ? { ...change, entity: alter(change.entity as never) as unknown as Entity } : change;
  return (trail) => ({
    commit: (origin, events) =>
      trail.commit(
        origin,
        events.map((event) =>
          event.action === action ? { ...event, changes: (event.changes ?? []).map(altered) } : event,
        ),
      ),
  });
}

/** A trail that leaves entities of a kind as they are. */
export function withoutChanges(
  kind: string,
  action = 'user.password_reset',
): (trail: AuditTrail) => AuditTrail {
  return (trail) => ({
    commit: (origin, events) =>
      trail.commit(
        origin,
        events.map((event) =>
          event.action === action
            ? { ...event, changes: (event.changes ?? []).filter(({ entity }) => entity.kind !== kind) }
            : event,
        ),
      ),
  });
}

/** The generation in the access token of the request that is being served. */
export function generationShown({ evidence }: World, { exchange }: Instance): number | undefined {
  const sent = evidence.exchanges[exchange ?? -1]?.sent;
  return sent && claimsOf(cookieOf(sent, 'access')).gen;
}

export function claimsOf(token: string | undefined): { readonly sid?: string; readonly gen?: number } {
  const payload = token?.split('.')[1];
  return payload === undefined ? {} : JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}
