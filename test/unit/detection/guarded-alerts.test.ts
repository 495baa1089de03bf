import type { RequestContext } from '../../../core/access/principal.ts';
import { type AlertRecord, alertId } from '../../../core/alerts/alert-record.ts';
import { decodeRow, encodeRow, rowHash } from '../../../core/audit/row.ts';
import { guardTables } from '../../../core/detection/guard-tables.ts';
import type { TableChange } from '../../../core/detection/table-change.ts';
import { watchRows } from '../../../core/detection/watch-rows.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { inspected } from '../../support/memory-inspector.ts';
import type { StoredEntity } from '../../support/memory-store.ts';
import { installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { alertsOf, recordedAlerts } from '../../support/raised-alerts.ts';
import { Tamperer } from '../../support/tamper.ts';

let vault: MemoryVault;
let workspaceId: string;
let owner: RequestContext;
let tamperer: Tamperer;
let guard: Guard;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  tamperer = new Tamperer(vault.tables);
  guard = new Guard(vault);
});

/** Follows the tables as the guard does, and records what it raises in the very tables that it follows. */
class Guard {
  readonly #vault: MemoryVault;
  #rows = new Set<string>();
  #entities = new Map<string, StoredEntity>();

  constructor(of: MemoryVault) {
    this.#vault = of;
    this.#changes();
  }

  /** Shows the guard what was written since it looked last. @returns how many changes there were. */
  async look(): Promise<number> {
    const changes = this.#changes();
    const parts = { ...this.#vault, alerts: recordedAlerts(this.#vault, 'guard') };
    await watchRows(parts, changes);
    await guardTables(parts, changes);
    return changes.length;
  }

  /** Looks until nothing is written any more; gives up after 20 times. @returns how often there was something. */
  async settle(): Promise<number> {
    let rounds = 0;
    while (rounds < 20 && (await this.look()) > 0) rounds += 1;
    return rounds;
  }

  #changes(): TableChange[] {
    const { tables, kinds, clock } = this.#vault;
    const rows = [...tables.rows].filter(([key]) => !this.#rows.has(key));
    const keys = new Set([...this.#entities.keys(), ...tables.entities.keys()]);
    const written = [...keys].filter((key) => this.#entities.get(key) !== tables.entities.get(key));
    const image = (stored: StoredEntity | undefined, key: string) => stored && inspected(kinds, key, stored);
    const changes = [
      ...rows.map(([, row]): TableChange => ({ table: 'audit', op: 'added', row })),
      ...written.map((key): TableChange => {
        const before = image(this.#entities.get(key), key);
        const after = image(tables.entities.get(key), key);
        return { table: 'vault', before, after, at: clock.now(), expired: false };
      }),
    ];
    this.#rows = new Set(tables.rows.keys());
    this.#entities = new Map(tables.entities);
    return changes;
  }
}

const told = async () =>
  (await alertsOf(vault, workspaceId)).map(({ alertKind, subject }) => `${alertKind} ${subject}`).toSorted();

/** After this, no row of the workspace has the time at which it is written: rows never go back in time. */
function plantRowOfTheFuture(): void {
  const [last] = vault.tables.lane({ workspaceId, lane: 0 }).slice(-1);
  if (last === undefined) throw new Error('There is no row.');
  const content = decodeRow(last.bytes);
  const bytes = encodeRow({
    ...content,
    seq: content.seq + 1,
    prev: last.hash,
    ts: '2099-01-01T00:00:00.000Z' as typeof content.ts,
    changes: [],
  });
  tamperer.putRow({ ...last, seq: last.seq + 1, bytes, hash: rowHash(bytes) });
}

async function store(name: string): Promise<string> {
  return (await createSecret(vault, owner, { namespace: 'prod', name, value: 'v' })).id;
}

const alertOn = (subject: string): string => alertId({ workspaceId, kind: 'entity_unexplained', subject });

describe('what the guard raises comes back to it as changes of the tables', () => {
  it('and gives it no reason for more', async () => {
    const id = await store('a');
    tamperer.editEntity('secret', id, { isCUI: true });
    expect(await guard.settle()).toBe(2);
    expect(await told()).toEqual([`entity_unexplained secret/${id}`]);
  });

  it('and comes to an end also where no row explains any change any more', async () => {
    plantRowOfTheFuture();
    await store('a');
    expect(await guard.settle()).toBeLessThan(5);
    expect(await told()).toEqual([
      'entity_unexplained alerts',
      'entity_unexplained namespace/prod and 3 more',
    ]);
    const rows = rowsOf(vault, workspaceId).length;
    await guard.settle();
    expect(rowsOf(vault, workspaceId)).toHaveLength(rows);
  });
});

describe('somebody who can write to the tables', () => {
  const raise = (occurrence: string): Promise<void> => {
    const what = { tier: 'critical', kind: 'decoy_revealed', subject: 'secret sec_1' } as const;
    return recordedAlerts(vault).raise({ ...what, workspaceId, occurrence, detail: {} });
  };
  async function raised(): Promise<AlertRecord> {
    await raise('0-1');
    await guard.settle();
    const [stored] = await alertsOf(vault, workspaceId);
    if (stored === undefined) throw new Error('The alert was not recorded.');
    return stored;
  }

  it('does not close an alert unseen, nor the alert that tells of it', async () => {
    const { id } = await raised();
    tamperer.editEntity('alert', id, { state: 'closed' });
    await guard.settle();
    tamperer.editEntity('alert', alertOn('alerts'), { state: 'closed' });
    await guard.settle();
    expect(
      (await alertsOf(vault, workspaceId)).map(({ subject, state, count }) => [subject, state, count]),
    ).toEqual(expect.arrayContaining([['alerts', 'open', 2]]));
  });

  it('does not silence an alert by spoiling it', async () => {
    const { id } = await raised();
    tamperer.editEntity('alert', id, { state: 'gone' });
    const before = rowsOf(vault, workspaceId).length;
    await raise('0-2');
    expect(rowsOf(vault, workspaceId).slice(before)).toMatchObject([
      {
        action: 'alert.raised',
        entity: { type: 'alert', id },
        detail: { kind: 'decoy_revealed' },
        changes: [],
      },
    ]);
  });

  it('does not have the alert sent to another workspace', async () => {
    const id = await store('a');
    await guard.settle();
    tamperer.putRow({ ...tamperer.row({ workspaceId, lane: 0 }, 1), workspaceId: 'ws_ghost' });
    const { entity, row } = tamperer.entity('secret', id);
    const [key] = [...vault.tables.entities].find(([, stored]) => stored.entity === entity) ?? [];
    vault.tables.entities.set(key ?? '', { entity: { ...entity, workspaceId: 'ws_ghost' }, row });
    await guard.settle();
    expect(await told()).toEqual([`entity_unexplained secret/${id}`]);
  });
});
