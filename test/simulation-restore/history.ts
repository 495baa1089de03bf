import type { StoredRow } from '../../core/audit/ledger.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Backup } from '../../core/backup/read-manifest.ts';
import { type Entity, entityDigest } from '../../core/kernel/entity.ts';
import { sealDeployment } from '../../core/seal/seal-deployment.ts';
import type { SealState } from '../../core/seal/seal-state.ts';
import { setUp } from '../../core/workspaces/set-up.ts';
import { MemoryCustomerKeys } from '../support/memory-customer-keys.ts';
import { rowKey } from '../support/memory-ledger.ts';
import { itemLine, type MemoryItem } from '../support/memory-restore-tables.ts';
import { deepCopy, type StoredEntity } from '../support/memory-store.ts';
import { CALLER, type MemoryVault, memoryVault, SETUP_TOKEN } from '../support/memory-vault.ts';
import type { SeededRandom } from '../support/random.ts';
import { Writers } from './writers.ts';

/** What was in the tables after a change. */
interface Moment {
  readonly entities: ReadonlyMap<string, StoredEntity>;
  readonly rows: ReadonlyMap<string, StoredRow>;
  readonly seals: ReadonlyMap<string, SealState>;
}

/** A deployment that was at work until it was lost, and a backup of it that holds half transactions. */
export interface History {
  readonly vault: MemoryVault;
  readonly backup: Backup;
  readonly lines: { readonly vault: readonly string[]; readonly audit: readonly string[] };
  /** The rows that the backup holds or the archive has sealed: all that a restore can know. */
  readonly known: ReadonlyMap<string, StoredRow>;
  /** Every entity that there ever was, by its digest. */
  readonly contents: ReadonlyMap<string, Entity>;
}

const MAX_BEFORE = 60;
const MAX_DURING = 8;
const MAX_AFTER = 25;

/** Plays writers and a sealer; each item of the backup is as of a moment of its own within the time that the export took. */
export async function playHistory(random: SeededRandom): Promise<History> {
  const vault = seededVault(random);
  const installed = await setUp(vault, { setupToken: SETUP_TOKEN, workspaceName: 'Acme' }, CALLER);
  const writers = new Writers(vault, random, installed.workspaceId);
  const [before, during, after] = [MAX_BEFORE, MAX_DURING, MAX_AFTER].map((most) => random.below(most + 1));
  const start = 5 + (before ?? 0);
  const end = start + (during ?? 0);
  const lost = end + (after ?? 0);
  const lastSeal = random.below(lost + 1);
  const moments: Moment[] = [];
  const contents = new Map<string, Entity>();
  for (let step = 0; step <= lost; step += 1) {
    await writers.act();
    if (step <= lastSeal && (step === lastSeal || random.below(6) === 0)) await seal(vault);
    moments.push(momentOf(vault));
    for (const { entity } of vault.tables.entities.values())
      contents.set(entityDigest(entity), deepCopy(entity));
  }
  const window = moments.slice(start, end + 1);
  return { vault, contents, ...takeBackup(vault, window, random) };
}

/** A vault as it stands, and a backup of this moment: whatever is spoiled in either was spoiled before. */
export function historyOf(vault: MemoryVault, random: SeededRandom): History {
  return { vault, contents: new Map(), ...takeBackup(vault, [momentOf(vault)], random) };
}

/** A vault whose ids and nonces depend on the seed alone. */
export function seededVault(random: SeededRandom): MemoryVault {
  const vault = memoryVault();
  const { ledger, clock } = vault;
  const keys = new MemoryCustomerKeys(new Uint8Array(32).fill(7), random);
  return { ...vault, random, keys, keyInspector: keys, trail: createAuditTrail({ ledger, clock, random }) };
}

/** Seals all that waits, in every workspace. */
export async function seal(vault: MemoryVault): Promise<void> {
  const { archive } = vault.log;
  const alerts = {
    raise: async () => {
      throw new Error('The sealer of the history raised an alert.');
    },
  };
  const parts = { ...vault, ...vault.log, staging: archive.staging, alerts };
  for await (const { error } of sealDeployment(parts, { force: true })) if (error !== undefined) throw error;
}

function momentOf({ tables, log }: MemoryVault): Moment {
  return {
    entities: new Map(tables.entities),
    rows: new Map(tables.rows),
    seals: new Map([...log.seals.states].map(([key, state]) => [key, deepCopy(state)])),
  };
}

function takeBackup(
  vault: MemoryVault,
  window: readonly Moment[],
  random: SeededRandom,
): Pick<History, 'backup' | 'lines' | 'known'> {
  const at = (index: number): Moment => window[index] ?? momentOf(vault);
  const any = (): Moment => at(random.below(window.length));
  const keys = new Set(any().entities.keys());
  for (const key of any().entities.keys()) keys.add(key);
  const entities = [...keys].flatMap((key) => any().entities.get(key) ?? []);
  const lanes = Map.groupBy(vault.tables.rows.values(), ({ workspaceId, lane }) => `${workspaceId}#${lane}`);
  const firsts = new Map<string, number>();
  const rows = [...lanes.values()].flatMap((lane) => {
    // Lane 0 comes first in the table, and opens the others: without it, they would hang in the air.
    const [{ workspaceId = '' } = {}] = lane;
    const index = random.below((firsts.get(workspaceId) ?? window.length - 1) + 1);
    if (!firsts.has(workspaceId)) firsts.set(workspaceId, index);
    const moment = at(index);
    return lane.flatMap((row) => moment.rows.get(rowKey(row, row.seq)) ?? []);
  });
  const workspaces = [...vault.log.seals.states.keys()];
  const states = workspaces.flatMap((workspaceId) => any().seals.get(workspaceId) ?? []);
  // The places of leaves are noted together with the state, and the export may have one without the other.
  const sizes = new Map([...any().seals].map(([workspaceId, { size }]) => [workspaceId, size]));
  const leaves = [...vault.log.seals.leaves].flatMap(([key, lane]) => {
    const workspaceId = key.slice(0, key.lastIndexOf('#'));
    const size = sizes.get(workspaceId) ?? 0;
    return [...lane.values()].flatMap((leaf) =>
      leaf.firstLeaf + leaf.lastSeq - leaf.firstSeq < size ? { workspaceId, leaf } : [],
    );
  });
  const vaultItems: MemoryItem[] = [
    ...entities.map((entity) => ({ entity })),
    ...states.map((state) => ({ seal: state })),
    ...leaves,
  ];
  const lines = { vault: vaultItems.map(itemLine), audit: rows.map((row) => itemLine({ row })) };
  const instant = Math.floor(vault.clock.now() / 1000) * 1000;
  const table = (name: 'vault' | 'audit'): Backup['tables']['vault'] => ({
    exportArn: `arn:${name}/export/1`,
    tableArn: `arn:${name}`,
    instant,
    itemCount: lines[name].length,
    billedSizeBytes: lines[name].join('').length,
    files: [{ key: name, itemCount: lines[name].length, md5: '', etag: '' }],
  });
  const known = new Map(rows.map((row) => [rowKey(row, row.seq), row]));
  for (const [workspaceId, { lanes: sealed }] of vault.log.seals.states) {
    for (const row of vault.tables.rows.values()) {
      const isSealed = row.workspaceId === workspaceId && row.seq <= (sealed[row.lane]?.seq ?? 0);
      if (isSealed) known.set(rowKey(row, row.seq), row);
    }
  }
  return { backup: { instant, tables: { vault: table('vault'), audit: table('audit') } }, lines, known };
}
