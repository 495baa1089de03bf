import { RefusedChanges } from '../../core/audit/append.ts';
import type { RowPosition } from '../../core/audit/event.ts';
import type { ExplainedChange, Ledger } from '../../core/audit/ledger.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Entity, Kind } from '../../core/kernel/entity.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import { rowKey } from '../support/memory-ledger.ts';
import { entityKey } from '../support/memory-store.ts';
import type { Mutant, World } from './world.ts';

/** A broken vault, and the invariants of which the checker must name at least one. */
export interface NamedMutant extends Mutant {
  readonly name: string;
  readonly caughtBy: readonly string[];
  /** For those that show in few histories: where to begin, so that the test does not play hundreds in vain. */
  readonly firstSeed?: number;
}

export const mutants: readonly NamedMutant[] = [
  {
    name: 'a ledger that carries out changes without their rows',
    caughtBy: ['I1', 'I2'],
    alterPorts: (ports, world) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        append: async (rows, changes) => {
          if (changes.length === 0 || !seldom(world)) return ports.ledger.append(rows, changes);
          carryOut(world, changes);
          return { status: 'committed' };
        },
      },
    }),
  },
  {
    name: 'a ledger that writes rows without their changes',
    caughtBy: ['I1'],
    alterPorts: (ports, world) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        append: (rows, changes) => ports.ledger.append(rows, seldom(world) ? [] : changes),
      },
    }),
  },
  {
    name: 'a ledger that overwrites rows',
    caughtBy: ['I2', 'I3'],
    alterPorts: (ports, world) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        append: async (rows, changes) => {
          for (const row of rows) world.tables.rows.delete(rowKey(row, row.seq));
          return ports.ledger.append(rows, changes);
        },
      },
    }),
  },
  {
    name: 'a ledger that says committed and forgets',
    caughtBy: ['I1', 'I2', 'I8'],
    alterPorts: (ports, world) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        append: async (rows, changes) =>
          seldom(world) ? { status: 'committed' } : ports.ledger.append(rows, changes),
      },
    }),
  },
  {
    name: 'a ledger that does not look at revisions',
    caughtBy: ['I1', 'model'],
    alterPorts: (ports, world) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        append: async (rows, changes) => {
          const outcome = await ports.ledger.append(rows, changes);
          if (outcome.status !== 'change_refused') return outcome;
          await ports.ledger.append(rows, []);
          carryOut(world, changes);
          return { status: 'committed' };
        },
      },
    }),
  },
  {
    name: 'a ledger that alters an entity on its way',
    caughtBy: ['I1'],
    alterPorts: (ports, world) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        append: async (rows, changes) => {
          const outcome = await ports.ledger.append(rows, changes);
          const stored = changes[0] && world.tables.entities.get(entityKey(changes[0].change.entity));
          if (stored?.entity.kind === 'secret') Object.assign(stored.entity, { isCUI: true });
          return outcome;
        },
      },
    }),
  },
  {
    name: 'a trail that calls the key service before it writes the row',
    caughtBy: ['I1'],
    alterTrail: (trail) => {
      let open: (() => Promise<unknown>) | undefined;
      return {
        async commit(origin, events) {
          await open?.();
          open = undefined;
          if (!events.some(({ action }) => action === 'secret.revealed')) return trail.commit(origin, events);
          open = () => trail.commit(origin, events);
          return events.map((): RowPosition => ({ lane: origin.lane, seq: 1 }));
        },
      };
    },
  },
  {
    name: 'a trail that forgets to send identical bytes again',
    caughtBy: ['I6', 'I8'],
    alterTrail: (_trail, instance, world) => ({
      async commit(origin, events) {
        const { vault } = instance;
        const once: Ledger = {
          ...vault.ledger,
          append: (rows, changes) =>
            vault.ledger.append(rows, changes).catch(() => {
              throw new VaultError('internal', 'Lost.');
            }),
        };
        for (let tries = 0; tries < 5; tries += 1) {
          try {
            return await createAuditTrail({ ...vault, ledger: once }).commit(origin, events);
          } catch (error) {
            if (error instanceof RefusedChanges || !(error instanceof VaultError)) throw error;
            await world.scheduler.turn(100);
          }
        }
        throw new VaultError('unavailable', 'Lost.');
      },
    }),
  },
  {
    name: 'a trail that says yes when it could not write',
    caughtBy: ['I1', 'I6', 'I8'],
    alterTrail: (trail) => ({
      commit: (origin, events) =>
        trail.commit(origin, events).catch((error) => {
          if (error instanceof RefusedChanges) throw error;
          return [];
        }),
    }),
  },
  {
    name: 'a trail that leaves out the records of Idempotency-Keys',
    caughtBy: ['I6'],
    alterTrail: (trail) => ({
      commit: (origin, events) =>
        trail.commit(
          origin,
          events.map((event) => ({
            ...event,
            changes: (event.changes ?? []).filter(({ entity }) => entity.kind !== 'idempotency'),
          })),
        ),
    }),
  },
  {
    name: 'a trail that notes what came in',
    caughtBy: ['I4'],
    alterTrail: (trail, instance, world) => ({
      commit: (origin, events) => {
        const body = JSON.stringify(world.evidence.exchanges[instance.exchange ?? -1]?.sent.body ?? {});
        return trail.commit(
          origin,
          events.map((event) => ({ ...event, detail: { ...event.detail, body: body.slice(0, 512) } })),
        );
      },
    }),
  },
  {
    name: 'a store that ignores the workspace',
    caughtBy: ['I5', 'I8'],
    alterPorts: (ports, world) => {
      const anywhere = (kind: Kind<Entity>, id: string): string | undefined =>
        [...world.tables.entities.values()].find(
          ({ entity }) => entity.kind === kind.name && entity.id === id,
        )?.entity.workspaceId;
      const { store } = ports;
      return {
        ...ports,
        store: {
          ...store,
          get: (kind, own, id) => store.get(kind, anywhere(kind as never, id) ?? own, id),
          getWithNewest: (parent, child, own, id) =>
            store.getWithNewest(parent, child, anywhere(parent as never, id) ?? own, id),
        },
      };
    },
  },
  {
    name: 'a store that lists what other workspaces have',
    caughtBy: ['I5', 'I8'],
    alterPorts: (ports, world) => ({
      ...ports,
      store: {
        ...ports.store,
        list: (kind, query) => {
          const owners = [
            ...new Set([...world.tables.entities.values()].map(({ entity }) => entity.workspaceId)),
          ];
          const owner = owners[world.random.below(owners.length)] ?? '';
          return ports.store.list(kind, { ...query, list: query.list.replace(/^ws_[0-9a-f]+/, owner) });
        },
      },
    }),
  },
  {
    name: 'a store that knows nothing of revocations',
    caughtBy: ['I7'],
    firstSeed: 30,
    alterPorts: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        find: async (kind, id) => {
          const found = await ports.store.find(kind, id);
          return found && { ...found, revokedAt: undefined };
        },
      },
    }),
  },
  {
    name: 'a store that reads what was long ago',
    caughtBy: ['I8'],
    alterPorts: (ports) => {
      const seen = new Map<string, unknown>();
      return {
        ...ports,
        store: {
          ...ports.store,
          get: async (kind, own, id) => {
            const key = `${kind.name}/${own}/${id}`;
            if (!seen.has(key)) seen.set(key, await ports.store.get(kind, own, id));
            return seen.get(key) as never;
          },
        },
      };
    },
  },
  {
    name: 'a key service that says what it was asked',
    caughtBy: ['I4'],
    alterPorts: (ports, world) => ({
      ...ports,
      keys: {
        ...ports.keys,
        generateDataKey: () => {
          const { body } =
            world.evidence.exchanges.findLast(({ sent }) => sent.body?.['value'] !== undefined)?.sent ?? {};
          throw new VaultError('key_unavailable', `Cannot encrypt ${String(body?.['value'])}.`);
        },
        decrypt: (...call) => ports.keys.decrypt(...call),
      },
    }),
  },
];

function seldom(world: World): boolean {
  return world.random.below(20) === 0;
}

/** The changes alone, as the tables would carry them out. */
function carryOut(world: World, changes: readonly ExplainedChange[]): void {
  for (const { change, row } of changes) {
    const key = entityKey(change.entity);
    if (change.op === 'put') world.tables.entities.set(key, { entity: change.entity, row });
    if (change.op === 'remove') world.tables.entities.delete(key);
  }
}
