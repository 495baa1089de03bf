import type { StoredRow } from '../../core/audit/ledger.ts';
import type { Break } from '../../core/audit/verify-lane.ts';
import { entityKey, type StoredEntity } from '../support/memory-store.ts';
import { Tamperer } from '../support/tamper.ts';
import type { World } from './world.ts';

/** What somebody with access to the tables does. Gives what was touched, or `undefined` if there is no occasion. */
export interface Tampering {
  readonly name: string;
  readonly apply: (world: World, workspaceId: string) => Touched | undefined;
}

/** An entity, or a row and those after it. */
export type Touched =
  | { readonly kind: string; readonly id: string }
  | { readonly lane: number; readonly seq: number };

export const tamperings: readonly Tampering[] = [
  {
    name: 'edits a secret',
    apply: (world, workspaceId) => {
      const stored = pickEntity(world, workspaceId, 'secret');
      if (stored === undefined) return undefined;
      return editEntity(world, stored, { tags: ['tampered'] });
    },
  },
  {
    name: "makes a viewer's key an owner's",
    apply: (world, workspaceId) => {
      const stored = entitiesOf(world, workspaceId, 'apiKey').find(
        ({ entity }) => 'role' in entity && entity.role !== 'owner',
      );
      return stored && editEntity(world, stored, { role: 'owner' });
    },
  },
  { name: 'deletes a secret', apply: (world, workspaceId) => removeEntity(world, workspaceId, 'secret') },
  {
    name: 'deletes the workspace',
    apply: (world, workspaceId) => removeEntity(world, workspaceId, 'workspace'),
  },
  {
    name: 'puts an entity back as it was before, with the row of then',
    apply: (world, workspaceId) => {
      const earlier = storedBefore(world, workspaceId).find(({ entity }) => {
        const now = world.tables.entities.get(entityKey(entity));
        return now !== undefined && now.entity.revision > entity.revision;
      });
      return earlier && put(world, earlier);
    },
  },
  {
    name: 'brings a removed entity back',
    apply: (world, workspaceId) => {
      const removed = world.evidence.commits
        .flatMap(({ rows }) => rows)
        .filter((row) => row.workspaceId === workspaceId)
        .flatMap(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')).changes)
        .filter(({ digest }) => digest === '0'.repeat(64));
      const former = storedBefore(world, workspaceId).find(
        ({ entity }) =>
          removed.some(({ kind, id }) => kind === entity.kind && id === entity.id) &&
          !world.tables.entities.has(entityKey(entity)),
      );
      return former && put(world, former);
    },
  },
  {
    name: 'inserts an API key that no row tells of',
    apply: (world, workspaceId) => {
      const stored = pickEntity(world, workspaceId, 'apiKey');
      const id = `key_${'f'.repeat(32)}`;
      return stored && put(world, { ...stored, entity: { ...stored.entity, id } });
    },
  },
  {
    name: 'inserts an API key in a workspace of its own',
    apply: (world, workspaceId) => {
      const stored = pickEntity(world, workspaceId, 'apiKey');
      const forged = { id: `key_${'f'.repeat(32)}`, workspaceId: `ws_${'f'.repeat(32)}` };
      return stored && put(world, { ...stored, entity: { ...stored.entity, ...forged } });
    },
  },
  { name: 'edits a row', apply: (world, workspaceId) => editRow(world, workspaceId, false) },
  { name: 'edits a row and its hash', apply: (world, workspaceId) => editRow(world, workspaceId, true) },
  {
    name: 'spoils the hash that the next row would follow',
    apply: ({ tables }, workspaceId) => {
      const last = tables.lane({ workspaceId, lane: 0 }).at(-1);
      if (last === undefined) return undefined;
      new Tamperer(tables).putRow({ ...last, hash: '' });
      return { lane: last.lane, seq: last.seq };
    },
  },
  {
    name: 'deletes a row',
    apply: (world, workspaceId) => {
      const row = pickRow(world, workspaceId);
      if (row === undefined) return undefined;
      new Tamperer(world.tables).removeRow(row, row.seq);
      return { lane: row.lane, seq: row.seq };
    },
  },
  {
    name: 'swaps two rows',
    apply: (world, workspaceId) => {
      const row = pickRow(world, workspaceId);
      if (row === undefined) return undefined;
      const tamperer = new Tamperer(world.tables);
      const next = tamperer.row(row, row.seq + 1);
      tamperer.putRow({ ...next, seq: row.seq });
      tamperer.putRow({ ...row, seq: next.seq });
      return { lane: row.lane, seq: row.seq };
    },
  },
];

/** Whether a break that the verifier found names what was touched, or comes from it. */
export function isAbout(found: Break, touched: Touched): boolean {
  if ('kind' in touched) return found.entity?.kind === touched.kind && found.entity.id === touched.id;
  return found.entity === undefined && found.lane === touched.lane && found.seq >= touched.seq;
}

function entitiesOf({ tables }: World, workspaceId: string, kind: string): StoredEntity[] {
  return [...tables.entities.values()].filter(
    ({ entity }) => entity.workspaceId === workspaceId && entity.kind === kind,
  );
}

function pickEntity(world: World, workspaceId: string, kind: string): StoredEntity | undefined {
  const all = entitiesOf(world, workspaceId, kind);
  return all[world.random.below(all.length)];
}

/** Everything that was ever stored of a workspace's entities, but for those that the table may forget. */
function storedBefore({ evidence }: World, workspaceId: string): StoredEntity[] {
  return evidence.commits
    .flatMap(({ stored }) => stored)
    .filter(({ entity }) => entity.workspaceId === workspaceId && !('expiresAt' in entity));
}

function put(world: World, { entity, row }: StoredEntity): Touched {
  new Tamperer(world.tables).putEntity(entity, row);
  return { kind: entity.kind, id: entity.id };
}

function editEntity(world: World, { entity: { kind, id } }: StoredEntity, patch: object): Touched {
  new Tamperer(world.tables).editEntity(kind, id, patch);
  return { kind, id };
}

function removeEntity(world: World, workspaceId: string, kind: string): Touched | undefined {
  const stored = pickEntity(world, workspaceId, kind);
  if (stored === undefined) return undefined;
  const { id } = stored.entity;
  new Tamperer(world.tables).removeEntity(kind, id);
  return { kind, id };
}

function editRow(world: World, workspaceId: string, rehash: boolean): Touched | undefined {
  const row = pickRow(world, workspaceId);
  if (row === undefined) return undefined;
  const edit = (text: string): string => text.replace(/"ip":"[^"]*"/, '"ip":"192.0.2.1"');
  new Tamperer(world.tables).editBytes(row, row.seq, edit, rehash);
  return { lane: row.lane, seq: row.seq };
}

/** Not the last: what a bare chain cannot show is that its tail was cut. */
function pickRow({ tables, random }: World, workspaceId: string): StoredRow | undefined {
  const rows = tables.lane({ workspaceId, lane: 0 }).slice(0, -1);
  return rows[random.below(rows.length)];
}
