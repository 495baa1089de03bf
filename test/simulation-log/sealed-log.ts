import { type AuditEvent, PRINCIPAL_LANE, STRANGER_LANE } from '../../core/audit/event.ts';
import { FIRST_EXTRA_LANE, laneSetKind } from '../../core/audit/lane-set.ts';
import { laneOpened, strangerOrigin, systemOrigin } from '../../core/audit/lane-start.ts';
import type { StoredRow } from '../../core/audit/ledger.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { create, remove, update } from '../../core/kernel/entity.ts';
import { allKinds } from '../../core/kinds.ts';
import { namespaceKind } from '../../core/namespaces/namespace.ts';
import { sealWorkspace } from '../../core/seal/seal-workspace.ts';
import type { VerificationParts } from '../../core/verification/verification-parts.ts';
import { newWorkspace } from '../../core/workspaces/workspace.ts';
import { FakeClock } from '../support/clock.ts';
import { MemoryArchive } from '../support/memory-archive.ts';
import { MemoryTables, rowKey } from '../support/memory-ledger.ts';
import { MemorySeals } from '../support/memory-seals.ts';
import { MemorySigner } from '../support/memory-signer.ts';
import { entityKey, type StoredEntity } from '../support/memory-store.ts';
import { MemoryVerifications } from '../support/memory-verifications.ts';
import { SeededRandom } from '../support/random.ts';

export const WORKSPACE = 'ws_1';
const DAY_MS = 86_400_000;
const EXTRA_LANE = FIRST_EXTRA_LANE;
const NAMESPACES = ['red', 'green', 'blue'];

/** A small log of two or three lanes, sealed step by step with the real sealer. Its tables are open to tamperers. */
export class SealedLog {
  readonly tables = new MemoryTables();
  readonly parts: VerificationParts;
  /** The rows as they were sealed, in the order of the leaves. */
  leaves: readonly StoredRow[] = [];
  readonly #clock = new FakeClock();
  readonly #archive = new MemoryArchive(this.tables, this.#clock);
  readonly #seals = new MemorySeals(this.tables);
  readonly #random: SeededRandom;
  readonly #alerts: Alert[] = [];
  readonly #rows = new Map<string, StoredRow>();
  readonly #entities = new Map<string, StoredEntity>();
  /** Each state of each entity before its last, by its key, oldest first. */
  readonly former = new Map<string, StoredEntity[]>();

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const { tables } = this;
    const archive = this.#archive;
    const seals = this.#seals;
    const signer = new MemorySigner(new Uint8Array(32).fill(9));
    const log = { archive, signer, seals, logName: 'log.example' };
    const trail = createAuditTrail({ ledger: tables.ledger, clock: this.#clock, random: this.#random });
    this.parts = {
      ledger: tables.ledger,
      inspector: tables.inspector,
      kinds: allKinds,
      trail,
      log,
      verifications: new MemoryVerifications(tables),
      alerts: { raise: async (alert) => void this.#alerts.push(alert) },
      clock: this.#clock,
      random: this.#random,
    };
  }

  /** Writes about so many rows, and seals them in up to three steps. Looked at a day later. */
  async make(rows: number): Promise<this> {
    await this.#commit(PRINCIPAL_LANE, [
      {
        ...event('workspace.created'),
        changes: [newWorkspace(WORKSPACE, 'Acme', '2026-01-01T00:00:00.000Z')],
      },
      laneOpened(WORKSPACE, STRANGER_LANE),
    ]);
    const isWide = this.#random.below(2) === 0;
    if (isWide) {
      const set = create(laneSetKind, { workspaceId: WORKSPACE, id: WORKSPACE, count: 1 });
      await this.#commit(PRINCIPAL_LANE, [{ ...laneOpened(WORKSPACE, EXTRA_LANE), changes: [set] }]);
    }
    while (this.tables.rows.size < rows) {
      await this.#write(isWide);
      if (this.#random.below(rows) < 2) await this.#seal();
    }
    for (const lane of isWide ? [STRANGER_LANE, EXTRA_LANE] : [STRANGER_LANE])
      await this.#commit(lane, [event('authentication.failed')]);
    await this.#seal();
    for (const [key, row] of this.tables.rows) this.#rows.set(key, row);
    for (const [key, entity] of this.tables.entities) this.#entities.set(key, entity);
    this.leaves = this.#leaves();
    this.#clock.advance(DAY_MS);
    return this;
  }

  /** Puts the tables back to what was sealed. */
  restore(): void {
    this.tables.rows.clear();
    this.tables.entities.clear();
    for (const [key, row] of this.#rows) this.tables.rows.set(key, row);
    for (const [key, entity] of this.#entities) this.tables.entities.set(key, entity);
  }

  async #write(isWide: boolean): Promise<void> {
    const what = this.#random.below(10);
    if (what < 3) return this.#commit(PRINCIPAL_LANE, [event('secret.revealed', { version: String(what) })]);
    if (what < 5) return this.#commit(STRANGER_LANE, [event('authentication.failed')]);
    if (what < 7 && isWide) return this.#commit(EXTRA_LANE, [event('secret.read')]);
    return this.#change(NAMESPACES[this.#random.below(NAMESPACES.length)] ?? '');
  }

  async #change(id: string): Promise<void> {
    const key = entityKey({ kind: namespaceKind.name, workspaceId: WORKSPACE, id });
    const stored = this.tables.entities.get(key);
    const before = stored && namespaceKind.schema.parse(stored.entity);
    if (before === undefined) {
      const content = {
        workspaceId: WORKSPACE,
        id,
        createdAt: '2026-01-01T00:00:00.000Z',
        createdBy: 'key_1',
      };
      const made = create(namespaceKind, { ...content, state: 'open' });
      return this.#commit(PRINCIPAL_LANE, [{ ...event('namespace.created'), changes: [made] }]);
    }
    if (stored !== undefined) this.former.set(key, [...(this.former.get(key) ?? []), stored]);
    const state = before.state === 'open' ? 'closing' : 'open';
    const changed =
      this.#random.below(4) === 0
        ? { ...event('namespace.deleted'), changes: [remove(namespaceKind, before)] }
        : { ...event('namespace.closed'), changes: [update(namespaceKind, before, { state })] };
    return this.#commit(PRINCIPAL_LANE, [changed]);
  }

  async #commit(lane: number, events: readonly AuditEvent[]): Promise<void> {
    this.#clock.advance(1_000 + this.#random.below(60_000));
    const origin =
      lane === STRANGER_LANE
        ? strangerOrigin(WORKSPACE, '198.51.100.1', 'cürl "8"')
        : { ...systemOrigin(WORKSPACE), lane };
    await this.parts.trail.commit(origin, events);
  }

  async #seal(): Promise<void> {
    const { staging } = this.#archive;
    const { store } = this.tables;
    const parts = { ...this.parts, ...this.parts.log, archive: this.#archive, staging, store };
    const signer = new MemorySigner(new Uint8Array(32).fill(9));
    const { status } = await sealWorkspace({ ...parts, signer }, WORKSPACE, { force: true });
    if (status === 'refused' || this.#alerts.length > 0) throw new Error('An honest log was not sealed.');
  }

  #leaves(): StoredRow[] {
    const segments = [...this.#seals.leaves.values()].flatMap((lane) => [...lane.values()]);
    return segments
      .sort((a, b) => a.firstLeaf - b.firstLeaf)
      .flatMap(({ lane, firstSeq, lastSeq }) =>
        this.tables
          .lane({ workspaceId: WORKSPACE, lane })
          .filter(({ seq }) => seq >= firstSeq && seq <= lastSeq),
      );
  }
}

export function keyOf(lane: number, seq: number): string {
  return rowKey({ workspaceId: WORKSPACE, lane }, seq);
}

function event(action: AuditEvent['action'], detail: { readonly [name: string]: string } = {}): AuditEvent {
  return { action, entity: { type: 'workspace', id: WORKSPACE }, result: 'success', detail };
}
