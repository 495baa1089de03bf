import { type AuditEvent, PRINCIPAL_LANE, STRANGER_LANE } from '../../core/audit/event.ts';
import { laneOpened, strangerOrigin, systemOrigin } from '../../core/audit/lane-start.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Alert } from '../../core/detection/alert.ts';
import type { SealParts } from '../../core/seal/parts.ts';
import { FakeClock } from './clock.ts';
import { MemoryArchive } from './memory-archive.ts';
import { MemoryTables } from './memory-ledger.ts';
import { MemorySeals } from './memory-seals.ts';
import { MemorySigner } from './memory-signer.ts';
import { checkHistory, type NaiveLog, readNaively } from './naive-log.ts';
import { SeededRandom } from './random.ts';

export const LOG_NAME = 'log.example';
export const WORKSPACE = `ws_${'5'.repeat(32)}`;

/** All that sealing works with, in memory, and a trail that writes rows to seal. */
export class SealWorld {
  readonly tables = new MemoryTables();
  readonly clock = new FakeClock();
  readonly archive = new MemoryArchive(this.tables, this.clock);
  readonly seals = new MemorySeals(this.tables);
  readonly signer = new MemorySigner(new Uint8Array(32).fill(7));
  readonly random = new SeededRandom(1);
  /** What was raised, in order. */
  readonly alerts: Alert[] = [];
  readonly trail = createAuditTrail({ ledger: this.tables.ledger, clock: this.clock, random: this.random });
  readonly parts: SealParts = {
    ledger: this.tables.ledger,
    store: this.tables.store,
    seals: this.seals,
    archive: this.archive,
    staging: this.archive.staging,
    signer: this.signer,
    alerts: {
      raise: async (alert) => {
        this.alerts.push(alert);
      },
    },
    clock: this.clock,
    logName: LOG_NAME,
  };

  /** Writes rows in lane 0 and, if wanted, in the strangers' lane. */
  async write(rows: number, strangers = 0, workspaceId = WORKSPACE): Promise<void> {
    if (this.tables.lane({ workspaceId, lane: PRINCIPAL_LANE }).length === 0) {
      await this.trail.commit(systemOrigin(workspaceId), [laneOpened(workspaceId, STRANGER_LANE)]);
    }
    await this.#commit(systemOrigin(workspaceId), rows, { action: 'secret.read', result: 'success' });
    const stranger = strangerOrigin(workspaceId, '198.51.100.1', 'curl');
    await this.#commit(stranger, strangers, { action: 'authentication.failed', result: 'denied' });
  }

  /** Reads a workspace's published log by other means than the sealer's; throws where it is not whole and right. */
  async readLog(workspaceId = WORKSPACE): Promise<NaiveLog> {
    const read = async (path: string) => this.archive.current(`log/${workspaceId}/${path}`)?.bytes;
    return readNaively(read, `${LOG_NAME}/${workspaceId}`, await this.#publicKey());
  }

  /**
   * {@link readLog}, and that the log never was anything else, and that it holds the rows of the table, each once and in
   * the order of its lane.
   *
   * @returns how many rows of the table it does not hold yet.
   */
  async checkLog(workspaceId = WORKSPACE): Promise<{ readonly log: NaiveLog; readonly unsealed: number }> {
    const log = await this.readLog(workspaceId);
    const origin = `${LOG_NAME}/${workspaceId}`;
    const prefix = `log/${workspaceId}/`;
    checkHistory(this.archive.versions, prefix, log, origin, await this.#publicKey());
    const sealed = Map.groupBy(log.entries, (entry) => Number(JSON.parse(entry.toString('utf8')).lane));
    const rows = [...this.tables.rows.values()].filter((row) => row.workspaceId === workspaceId);
    for (const [lane, entries] of sealed) {
      const stored = this.tables.lane({ workspaceId, lane }).slice(0, entries.length);
      const differs = entries.findIndex((entry, at) => !entry.equals(stored[at]?.bytes ?? Buffer.alloc(0)));
      if (differs >= 0) throw new Error(`Leaf ${differs} of lane ${lane} is not row ${differs + 1}.`);
    }
    return { log, unsealed: rows.length - log.size };
  }

  /** A world of its own that stands where this one stands, but for its alerts and the trail's memory. */
  copy(): SealWorld {
    const world = new SealWorld();
    world.clock.advance(this.clock.now() - world.clock.now());
    for (const [key, row] of this.tables.rows) world.tables.rows.set(key, row);
    for (const [key, versions] of this.archive.versions) world.archive.versions.set(key, [...versions]);
    for (const [key, bytes] of this.archive.staged) world.archive.staged.set(key, bytes);
    for (const [key, state] of this.seals.states) world.seals.states.set(key, state);
    for (const [key, lane] of this.seals.leaves) world.seals.leaves.set(key, new Map(lane));
    return world;
  }

  async #publicKey(): Promise<Uint8Array> {
    const [key] = await this.signer.publicKeys();
    return key?.publicKey ?? new Uint8Array();
  }

  async #commit(
    origin: ReturnType<typeof systemOrigin>,
    count: number,
    event: Pick<AuditEvent, 'action' | 'result'>,
  ): Promise<void> {
    for (let left = count; left > 0; left -= 100) {
      const events = Array.from(
        { length: Math.min(left, 100) },
        (_, index): AuditEvent => ({ ...event, entity: { type: 'secret', id: `sec_${left - index}` } }),
      );
      await this.trail.commit(origin, events);
    }
  }
}
