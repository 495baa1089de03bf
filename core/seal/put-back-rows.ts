import type { Ledger, StoredRow } from '../audit/ledger.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { unavailable } from '../kernel/errors.ts';
import { SealRefusal } from './refusal.ts';

/** Lanes read, and rows written, side by side. */
const WIDTH = 8;

/**
 * The rows that the table does not hold.
 *
 * @param rows some sealed rows, in leaf order.
 * @throws SealRefusal `log_forked` when another row stands in the place of one.
 */
export async function missingRows(ledger: Ledger, rows: readonly StoredRow[]): Promise<StoredRow[]> {
  const missing = await concurrently(runsOf(rows), WIDTH, async (run) => {
    const held = await heldRows(ledger, run);
    return run.filter((row) => {
      const found = held.get(row.seq);
      if (found !== undefined) checkSame(row, found);
      return found === undefined;
    });
  });
  return missing.flat();
}

/**
 * Puts rows back, to the byte. One that is there by now must be the same.
 *
 * @throws SealRefusal `log_forked` when another row was written in the place of one.
 */
export async function putBackRows(ledger: Ledger, rows: readonly StoredRow[]): Promise<void> {
  await concurrently(rows, WIDTH, async (row) => {
    const outcome = await ledger.append([row], []);
    if (outcome.status === 'row_taken') checkSame(row, outcome.row);
    else if (outcome.status !== 'committed') throw unavailable('Something else is writing to the same row.');
  });
}

function checkSame(sealed: StoredRow, found: StoredRow): void {
  if (Buffer.compare(sealed.bytes, found.bytes) === 0) return;
  throw new SealRefusal(
    'log_forked',
    `row ${sealed.lane}-${sealed.seq}`,
    'The table holds another row than was sealed. Restore it again, and recover before anything writes to it.',
    { sealed: sealed.hash, found: found.hash },
  );
}

type Run = [StoredRow, ...StoredRow[]];

/** Rows that follow each other in one lane, so that one read finds them. */
function runsOf(rows: readonly StoredRow[]): Run[] {
  const runs: Run[] = [];
  for (const row of rows.toSorted((a, b) => a.lane - b.lane)) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last?.lane === row.lane && last.seq + 1 === row.seq) run.push(row);
    else runs.push([row]);
  }
  return runs;
}

async function heldRows(ledger: Ledger, run: Run): Promise<Map<number, StoredRow>> {
  const held = new Map<number, StoredRow>();
  const [first] = run;
  const end = first.seq + run.length - 1;
  for (let from = first.seq; from <= end; ) {
    const rows = await ledger.rows(first, from, end - from + 1);
    for (const row of rows) held.set(row.seq, row);
    const reached = Math.max(0, ...rows.map(({ seq }) => seq));
    if (reached < from) break;
    from = reached + 1;
  }
  return held;
}
