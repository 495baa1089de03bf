import { hash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { headAfter } from '../core/audit/build-rows.ts';
import type { Ledger } from '../core/audit/ledger.ts';
import { type Anchor, GENESIS, verifyLane } from '../core/audit/verify-lane.ts';
import { type Line, milliseconds, ratio } from './support/measure.ts';
import { chain, readOnlyLedger, WORKSPACE } from './support/rows.ts';

const ROWS = 1_000_000;
/** Made and checked part by part, so that the rows themselves need not all be in memory. */
const PART = 100_000;

/**
 * The integrity pass over a chain, against bare SHA-256 of the same rows, part by part in turns; and what memory the
 * pass keeps between its parts.
 */
export async function benchVerify(): Promise<Line[]> {
  const collectGarbage = garbageCollector();
  const times = { ours: 0, reference: 0 };
  let anchor: Anchor = GENESIS;
  let rows = chain(PART);
  let bytes = 0;
  const heap: number[] = [];
  // Once unmeasured, as every comparison begins.
  await verifyLane(readOnlyLedger(rows) as Ledger, { workspaceId: WORKSPACE, lane: 0 }, GENESIS);
  for (let done = 0; done < ROWS; done += PART) {
    const ledger = readOnlyLedger(rows) as Ledger;
    times.ours += await milliseconds(async () => {
      const check = await verifyLane(ledger, { workspaceId: WORKSPACE, lane: 0 }, anchor);
      if (check.rows !== PART || check.breaks.length > 0) throw new Error('The chain does not verify.');
      anchor = check.head;
    });
    times.reference += await milliseconds(() => {
      for (const row of rows) hash('sha256', row.bytes, 'buffer');
    });
    bytes += rows.reduce((sum, row) => sum + row.bytes.length, 0);
    const last = rows.at(-1);
    rows = [];
    collectGarbage();
    heap.push(process.memoryUsage().heapUsed);
    if (last !== undefined && done + PART < ROWS) rows = chain(PART, headAfter(last));
  }
  const rate = (time: number): string => `${Math.round(ROWS / time)} rows/ms`;
  const kept = Math.max(...heap) - (heap[0] ?? 0);
  return [
    {
      what: `verify ${ROWS} rows, against SHA-256 of each`,
      ours: rate(times.ours),
      reference: rate(times.reference),
      ratio: ratio(times.reference / times.ours),
    },
    {
      what: `memory kept after ${ROWS} verified rows more than after the first ${PART}, against the bytes of the rows`,
      ours: `${Math.round(kept / 1024)} KiB`,
      reference: `${Math.round(bytes / 1024)} KiB`,
      ratio: ratio(kept / bytes),
    },
  ];
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose_gc');
  return runInNewContext('gc') as () => void;
}
