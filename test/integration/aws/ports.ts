import { buildRows, type Head, headAfter } from '../../../core/audit/build-rows.ts';
import type { EntityInspector } from '../../../core/audit/entity-inspector.ts';
import type { AuditEvent } from '../../../core/audit/event.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { AppendOutcome, ExplainedChange, Ledger, StoredRow } from '../../../core/audit/ledger.ts';
import { GENESIS_HASH } from '../../../core/audit/row.ts';
import type { Bookkeeping } from '../../../core/identity/bookkeeping.ts';
import type { Change } from '../../../core/kernel/entity.ts';
import type { JobState } from '../../../core/kernel/job-state.ts';
import type { Store } from '../../../core/kernel/store.ts';
import type { SyncRecords } from '../../../core/secrets-sync/sync-records.ts';
import type { DeliveryLog } from '../../../core/siem/delivery-log.ts';
import type { VerificationStates } from '../../../core/verification/verification-state.ts';
import { SeededRandom } from '../../support/random.ts';
import type { TestState } from './job-state-contract.ts';

/** The ports that have two implementations: on DynamoDB, and in memory for all other tests. */
export interface Ports {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly inspector: EntityInspector;
  readonly bookkeeping: Bookkeeping;
  readonly deliveries: DeliveryLog;
  readonly syncRecords: SyncRecords;
  readonly verifications: VerificationStates;
  /** The state of the job of this name. */
  readonly jobState: (name: string) => JobState<TestState>;
}

let workspaces = 0;

/** A name for a workspace of one test's own, so that tests can share their tables. */
export function newWorkspace(): string {
  workspaces += 1;
  return `ws_${String(workspaces).padStart(32, '0')}`;
}

const EMPTY: Head = { seq: 0, hash: GENESIS_HASH, time: 0 };

/** Writes one lane by hand, one append after the other. */
export class LaneWriter {
  readonly workspaceId: string;
  head = EMPTY;
  readonly #ledger: Ledger;
  readonly #random: SeededRandom;

  constructor(ledger: Ledger, workspaceId: string, seed = workspaces) {
    this.#ledger = ledger;
    this.workspaceId = workspaceId;
    this.#random = new SeededRandom(seed);
  }

  get lane(): { readonly workspaceId: string; readonly lane: number } {
    return { workspaceId: this.workspaceId, lane: 0 };
  }

  /** The next rows, not yet sent; the first of them tells of the changes. */
  rows(count = 1, changes: readonly Change[] = []): readonly StoredRow[] {
    const events = Array.from(
      { length: count },
      (_, index): AuditEvent => ({
        action: 'secret.updated',
        entity: { type: 'secret', id: 'x' },
        result: 'success',
        changes: index === 0 ? changes : [],
      }),
    );
    return buildRows(this.head, systemOrigin(this.workspaceId), events, 0, this.#random).rows;
  }

  /** One row with these changes; the head moves on if that is committed. */
  async append(...changes: Change[]): Promise<AppendOutcome> {
    return this.send(this.rows(1, changes), changes);
  }

  /** All changes are explained by the first row. */
  async send(rows: readonly StoredRow[], changes: readonly Change[] = []): Promise<AppendOutcome> {
    const [first] = rows;
    const last = rows.at(-1);
    if (first === undefined || last === undefined) throw new Error('There is no row to send.');
    const row = { lane: first.lane, seq: first.seq };
    const outcome = await this.#ledger.append(
      rows,
      changes.map((change): ExplainedChange => ({ change, row })),
    );
    if (outcome.status === 'committed') this.head = headAfter(last);
    return outcome;
  }
}
