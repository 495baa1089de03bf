import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { rowItem } from '../../aws/items.ts';
import type { AuditEvent } from '../../core/audit/event.ts';
import type { Ledger } from '../../core/audit/ledger.ts';
import { type AuditTrail, createAuditTrail } from '../../core/audit/trail.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import { systemClock, systemRandom } from '../../lambdas/shared/system.ts';
import { chain, origin, revealed } from './rows.ts';

/** Secrets that the writers reveal. */
const SECRETS = 256;

/** What some reveals took. */
export interface Appends {
  readonly rows: number;
  /** Rows that were sent, also those that found their place taken: each costs what a row costs. */
  readonly sent: number;
  /** Reads of a lane's last row. */
  readonly reads: number;
}

/**
 * Function instances that reveal secrets of one workspace, all of it at once: none knows of the others but by the table.
 *
 * @param lanes 1, or how many the workspace gets as soon as they are in each other's way.
 */
export class Writers {
  readonly #trails: readonly AuditTrail[];
  readonly #workspaceId: string;
  #next = 0;
  #sent = 0;
  #reads = 0;

  constructor(ledger: Ledger, workspaceId: string, count: number, lanes: number) {
    this.#workspaceId = workspaceId;
    const counted = this.#counted(ledger);
    const lanePolicy =
      lanes === 1
        ? { contendedAfter: Number.POSITIVE_INFINITY, extraLanes: 1 }
        : { contendedAfter: 1, extraLanes: lanes - 1 };
    this.#trails = Array.from({ length: count }, () =>
      createAuditTrail({ ledger: counted, clock: systemClock, random: systemRandom, lanePolicy }),
    );
  }

  /**
   * Reveals so many times in all.
   *
   * @param pause of each writer between two of its reveals, in milliseconds.
   */
  async reveal(times: number, pause = 0): Promise<Appends> {
    const [sent, reads] = [this.#sent, this.#reads];
    let left = times;
    const work = async (trail: AuditTrail): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const id = `sec_${String(this.#next++ % SECRETS).padStart(32, '0')}`;
        const event: AuditEvent = { ...revealed, entity: { type: 'secret', id } };
        await this.#commit(trail, event);
        await systemClock.sleep(pause);
      }
    };
    await Promise.all(this.#trails.map(work));
    return { rows: times, sent: this.#sent - sent, reads: this.#reads - reads };
  }

  /** Until it is written: whoever is told to come back does. */
  async #commit(trail: AuditTrail, event: AuditEvent): Promise<void> {
    for (;;) {
      try {
        await trail.commit({ ...origin, workspaceId: this.#workspaceId }, [event]);
        return;
      } catch (error) {
        if (!(error instanceof VaultError) || error.code !== 'unavailable') throw error;
      }
    }
  }

  #counted(ledger: Ledger): Ledger {
    return {
      ...ledger,
      lastRow: (lane) => {
        this.#reads += 1;
        return ledger.lastRow(lane);
      },
      append: (rows, changes) => {
        // What opens the lanes is no reveal.
        if (changes.length === 0) this.#sent += rows.length;
        return ledger.append(rows, changes);
      },
    };
  }
}

/** The write units that DynamoDB takes for the row of a reveal, and its bytes. */
export async function costOfReveal(
  client: DynamoDBDocumentClient,
  table: string,
): Promise<{ readonly units: number; readonly bytes: number }> {
  // The second row: the first of the sample explains a change.
  const row = chain(2)[1];
  if (row === undefined) throw new Error('There is no row to put.');
  const { ConsumedCapacity: consumed } = await client.send(
    new PutCommand({
      TableName: table,
      Item: rowItem({ ...row, workspaceId: 'cost' }),
      ReturnConsumedCapacity: 'TOTAL',
    }),
  );
  return { units: consumed?.CapacityUnits ?? 0, bytes: row.bytes.length };
}
