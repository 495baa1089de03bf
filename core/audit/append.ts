import { VaultError } from '../kernel/errors.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import { buildRows, type Head, headAfter } from './build-rows.ts';
import type { AuditEvent, Origin } from './event.ts';
import type { AppendOutcome, ExplainedChange, Ledger, StoredRow } from './ledger.ts';

interface Parts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
}

interface Work {
  readonly origin: Origin;
  readonly events: readonly AuditEvent[];
  readonly head: Head;
  /** Reads where the lane ends now, consistently. */
  readonly findHead: () => Promise<Head>;
}

interface Appended {
  readonly rows: readonly StoredRow[];
  readonly head: Head;
}

/** Some changes did not find the revision that they expect. Nothing was written. */
export class RefusedChanges extends VaultError {
  /** `<kind>/<id>` of each. */
  readonly ids: readonly string[];

  constructor(changes: readonly ExplainedChange[]) {
    super('concurrent_change', 'Something else changed this at the same time. Read it again and retry.');
    this.ids = changes.map(({ change }) => `${change.entity.kind}/${change.entity.id}`);
  }

  /** Whether an entity of this kind is among those that had changed. */
  includes(kind: string): boolean {
    return this.ids.some((id) => id.startsWith(`${kind}/`));
  }
}

const MAX_ATTEMPTS = 10;
/** No new attempt after this: a caller waits behind API Gateway, which gives up after 29 seconds. */
const MAX_DURATION_MS = 8_000;
const BASE_DELAY_MS = 10;
const MAX_DELAY_MS = 500;

/**
 * Appends rows after a lane's head with optimistic concurrency. What a crash leaves behind at any point is either
 * nothing or the whole transaction.
 *
 * The rule that keeps a lane from forking or doubling: **once rows were sent to a key, the same bytes are sent again
 * until that key is known to be taken.** An answer that was lost may stand for a write that is still on its way;
 * only when the key is occupied can the earlier try no longer land there, and then the occupant's nonce tells
 * whether it is ours.
 */
export async function append(parts: Parts, work: Work): Promise<Appended> {
  const { ledger, clock, random } = parts;
  const build = (after: Head): Appended => buildRows(after, work.origin, work.events, clock.now(), random);
  let candidate = build(work.head);
  let successorTried = false;
  let lastFault: unknown;
  const deadline = clock.now() + MAX_DURATION_MS;

  for (let attempt = 0; attempt < MAX_ATTEMPTS && clock.now() <= deadline; attempt += 1) {
    if (attempt > 0) await clock.sleep(jitter(attempt, random));
    let outcome: AppendOutcome;
    try {
      outcome = await ledger.append(candidate.rows, explained(work.events, candidate.rows));
      // A contended transaction wrote nothing, but says nothing of the key: look for who holds it.
      if (outcome.status === 'contended') outcome = await occupant(ledger, candidate);
    } catch (fault) {
      // Any other error is a defect, and sending the same again would only hide it.
      if (!(fault instanceof VaultError) || fault.code !== 'unavailable') throw fault;
      lastFault = fault;
      continue;
    }
    switch (outcome.status) {
      case 'committed':
        return candidate;
      case 'row_taken':
        if (outcome.row.nonce === candidate.rows[0]?.nonce) return candidate;
        // Most often one other writer was first, so its successor is free; if not, many are at work: look once more.
        candidate = build(successorTried ? await latestHead(work, outcome.row) : headAfter(outcome.row));
        successorTried = true;
        break;
      case 'change_refused':
        throw new RefusedChanges(pick(explained(work.events, candidate.rows), outcome.refused));
      case 'contended':
        break;
    }
  }
  throw new VaultError('unavailable', 'The audit trail cannot be written right now. Try again.', {
    cause: lastFault,
    retryAfter: 2,
  });
}

async function occupant(ledger: Ledger, candidate: Appended): Promise<AppendOutcome> {
  const first = candidate.rows[0];
  if (first === undefined) throw new TypeError('A commit needs at least one event.');
  const row = await ledger.row(first, first.seq);
  return row === undefined ? { status: 'contended' } : { status: 'row_taken', row };
}

/** The lane's end as read now; never before a row that is known to exist. */
async function latestHead(work: Work, known: StoredRow): Promise<Head> {
  const head = await work.findHead();
  return head.seq >= known.seq ? head : headAfter(known);
}

/** Each change with the row that explains it: the row of its event. */
function explained(events: readonly AuditEvent[], rows: readonly StoredRow[]): ExplainedChange[] {
  return events.flatMap((event, index) => {
    const row = rows[index];
    if (row === undefined) throw new TypeError('Each event has its row.');
    return (event.changes ?? []).map((change) => ({ change, row: { lane: row.lane, seq: row.seq } }));
  });
}

function pick(changes: readonly ExplainedChange[], indices: readonly number[]): ExplainedChange[] {
  return changes.filter((_, index) => indices.includes(index));
}

/** Full jitter: a random wait up to an exponentially rising bound, in milliseconds. */
function jitter(attempt: number, random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  const fraction = (high * 256 + low) / 65_536;
  return Math.floor(fraction * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** attempt));
}
