import type { ArchiveParts } from '../../core/archive/archive-workspace.ts';
import { archiveWorkspace } from '../../core/archive/archive-workspace.ts';
import { decodeManifest, type Manifest, manifestKey } from '../../core/archive/manifest.ts';
import { type AuditEvent, type Origin, PRINCIPAL_LANE, STRANGER_LANE } from '../../core/audit/event.ts';
import { laneOpened, strangerOrigin, systemOrigin } from '../../core/audit/lane-start.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { DAY_MS } from '../../core/kernel/timestamps.ts';
import { applyRetention, type RetentionParts } from '../../core/retention/apply-retention.ts';
import type { SealParts } from '../../core/seal/parts.ts';
import { sealWorkspace } from '../../core/seal/seal-workspace.ts';
import { newWorkspace } from '../../core/workspaces/workspace.ts';
import { FakeClock } from './clock.ts';
import { MemoryArchive } from './memory-archive.ts';
import { MemoryTables, rowKey } from './memory-ledger.ts';
import { MemorySeals } from './memory-seals.ts';
import { MemorySigner } from './memory-signer.ts';
import { SeededRandom } from './random.ts';

const HOUR_MS = 60 * 60 * 1000;

/** One workspace whose trail is sealed and archived, over memory ports. Two of them with the same history are alike. */
export class ArchivedLog {
  readonly workspaceId = 'ws_1';
  readonly start = Date.parse('2026-01-01T00:00:00.000Z');
  readonly tables = new MemoryTables();
  readonly clock = new FakeClock(this.start);
  readonly archive = new MemoryArchive(this.tables, this.clock);
  readonly seals = new MemorySeals(this.tables);
  readonly alerts: Alert[] = [];
  /** The names of the calls of all ports, in order. */
  readonly calls: string[] = [];
  readonly parts: ArchiveParts & SealParts & RetentionParts = {
    ledger: this.tables.ledger,
    store: this.tables.store,
    trail: createAuditTrail({ ledger: this.tables.ledger, clock: this.clock, random: new SeededRandom(1) }),
    archive: this.archive,
    staging: this.archive.staging,
    seals: this.seals,
    signer: new MemorySigner(new Uint8Array(32).fill(9)),
    alerts: { raise: async (alert) => void this.alerts.push(alert) },
    clock: this.clock,
    logName: 'lockzero.test',
    minRetentionDays: 2_557,
    remover: {
      remove: (lane, seqs) =>
        this.tables.call('remover.remove', () => {
          for (const seq of seqs) this.tables.rows.delete(rowKey(lane, seq));
        }),
    },
  };

  constructor() {
    this.tables.faults = async ({ name }) => {
      this.calls.push(name);
      return 'none';
    };
  }

  /** Makes the workspace, at the first moment of its first day. */
  async begin(): Promise<this> {
    const created = newWorkspace(this.workspaceId, 'Acme', '2026-01-01T00:00:00.000Z');
    await this.commit(systemOrigin(this.workspaceId), [
      { ...event('workspace.created'), changes: [created] },
      laneOpened(this.workspaceId, STRANGER_LANE),
    ]);
    return this;
  }

  async commit(origin: Origin, events: readonly AuditEvent[]): Promise<void> {
    await this.parts.trail.commit(origin, events);
  }

  /** Rows of principals, and of strangers. */
  async write(rows: number, strangers = 0): Promise<void> {
    for (let count = 0; count < rows; count += 1) {
      await this.commit(systemOrigin(this.workspaceId), [event('secret.revealed')]);
    }
    for (let count = 0; count < strangers; count += 1) {
      const origin = strangerOrigin(this.workspaceId, '198.51.100.1', 'curl');
      await this.commit(origin, [event('authentication.failed')]);
    }
  }

  /** A day's rows, written at noon and sealed an hour later; ends at 04:00 of the next day. */
  async day(rows: number, strangers = 0): Promise<void> {
    this.goTo(this.today + 12 * HOUR_MS);
    await this.write(rows, strangers);
    this.clock.advance(HOUR_MS);
    await this.seal();
    this.goTo(this.today + DAY_MS + 4 * HOUR_MS);
  }

  /** Midnight before now. */
  get today(): number {
    return Math.floor(this.clock.now() / DAY_MS) * DAY_MS;
  }

  goTo(time: number): void {
    this.clock.advance(time - this.clock.now());
  }

  seal() {
    return sealWorkspace(this.parts, this.workspaceId, { force: true });
  }

  run(parts: Partial<ArchiveParts> = {}) {
    return archiveWorkspace({ ...this.parts, ...parts }, this.workspaceId);
  }

  retain(mayGoOn?: () => boolean) {
    return applyRetention(this.parts, this.workspaceId, mayGoOn);
  }

  manifest(day: string): Manifest {
    const object = this.archive.current(manifestKey(this.workspaceId, day));
    const manifest = object && decodeManifest(object.bytes);
    if (manifest === undefined) throw new Error(`There is no manifest of ${day}.`);
    return manifest;
  }

  lane(lane = PRINCIPAL_LANE) {
    return { workspaceId: this.workspaceId, lane };
  }

  /** The numbers of the rows that a lane has in the table. */
  seqs(lane = PRINCIPAL_LANE): number[] {
    return this.tables.lane(this.lane(lane)).map(({ seq }) => seq);
  }

  /** All versions of all objects in the daily archive, as text. */
  objects(): readonly string[] {
    return [...this.archive.versions]
      .filter(([key]) => key.startsWith('archive/'))
      .flatMap(([key, versions]) =>
        versions.map((version) => `${key} ${Buffer.from(version?.bytes ?? []).toString('hex')}`),
      )
      .sort();
  }
}

export function event(action: AuditEvent['action']): AuditEvent {
  return { action, entity: { type: 'workspace', id: 'ws_1' }, result: 'success' };
}

/**
 * Lets the call of a number fail, before or after it took effect, and no other.
 *
 * @returns whether there was such a call.
 */
export async function withFault(
  log: ArchivedLog,
  number: number,
  fault: 'before' | 'after',
  run: () => Promise<unknown>,
): Promise<boolean> {
  let calls = 0;
  log.tables.faults = async () => {
    calls += 1;
    return calls === number ? fault : 'none';
  };
  try {
    await run();
  } catch (error) {
    if (!(error instanceof Error) || !error.message.endsWith('was lost.')) throw error;
  }
  log.tables.faults = async () => 'none';
  return calls >= number;
}
