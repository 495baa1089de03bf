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

interface Candidate {
  readonly rows: readonly StoredRow[];
  readonly head: Head;
}

export interface Appended extends Candidate {
  /** Rounds that were lost to other writers before: 0 where nobody was in the way. */
  readonly defeats: number;
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

/** No new attempt after this: a caller waits behind API Gateway, which gives up after 29 seconds. */
const MAX_DURATION_MS = 8_000;
/** Lost answers in a row-by-row struggle with a failing store; the SDK has already tried each twice. */
const MAX_FAULTS = 10;
/** Rounds lost to other writers. Somebody wins each round, so the deadline decides long before this does. */
const MAX_DEFEATS = 1_000;
const FAULT_DELAY_MS = 500;
/** Short, and shorter with each defeat: the longer a loser waits, the surer a winner, who knows the head, wins again. */
const DEFEAT_DELAY_MS = 40;

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
  const build = (after: Head): Candidate => buildRows(after, work.origin, work.events, clock.now(), random);
  const deadline = clock.now() + MAX_DURATION_MS;
  let candidate = build(work.head);
  let faults = 0;
  let defeats = 0;
  let lastFault: unknown;

  while (faults < MAX_FAULTS && defeats < MAX_DEFEATS && clock.now() <= deadline) {
    let outcome: AppendOutcome;
    try {
      outcome = await ledger.append(candidate.rows, explained(work.events, candidate.rows));
      // A contended transaction wrote nothing, but says nothing of the key: look for who holds it.
      if (outcome.status === 'contended') outcome = await occupant(ledger, candidate);
    } catch (fault) {
      // Any other error is a defect, and sending the same again would only hide it.
      if (!(fault instanceof VaultError) || fault.code !== 'unavailable') throw fault;
      lastFault = fault;
      faults += 1;
      await clock.sleep(jitter(Math.min(FAULT_DELAY_MS, 10 * 2 ** faults), random));
      continue;
    }
    switch (outcome.status) {
      case 'committed':
        return { ...candidate, defeats };
      case 'row_taken':
        if (outcome.row.nonce === candidate.rows[0]?.nonce) return { ...candidate, defeats };
        // Most often one other writer was first, so its successor is free: try that at once. After that, look.
        candidate = build(defeats === 0 ? headAfter(outcome.row) : await latestHead(work, outcome.row));
        break;
      case 'change_refused':
        throw new RefusedChanges(pick(explained(work.events, candidate.rows), outcome.refused));
      case 'contended':
        break;
    }
    defeats += 1;
    if (defeats > 1) await clock.sleep(jitter(DEFEAT_DELAY_MS / Math.sqrt(defeats), random));
  }
  throw new VaultError(
    'unavailable',
    'The audit trail could not be written in time. Nothing was revealed; a change may have taken effect all the same. ' +
      'Look before you repeat it, or repeat it with the same Idempotency-Key.',
    { cause: lastFault, retryAfter: 2 },
  );
}

async function occupant(ledger: Ledger, candidate: Candidate): Promise<AppendOutcome> {
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

/** Full jitter: a random wait below `bound` milliseconds. */
function jitter(bound: number, random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return Math.floor(((high * 256 + low) / 65_536) * bound);
}
