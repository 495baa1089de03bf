import { hash } from 'node:crypto';
import type { Ledger } from '../core/audit/ledger.ts';
import { GENESIS, verifyLane } from '../core/audit/verify-lane.ts';
import { compare, type Line, ratio } from './support/measure.ts';
import { chain, readOnlyLedger, WORKSPACE } from './support/rows.ts';

const ROWS = 100_000;

/** The integrity pass over a chain, against bare SHA-256 of the same rows, one after the other. */
export async function benchVerify(): Promise<Line[]> {
  const rows = chain(ROWS);
  const ledger = readOnlyLedger(rows) as Ledger;
  const { ours, reference } = await compare(
    5,
    async () => {
      const check = await verifyLane(ledger, { workspaceId: WORKSPACE, lane: 0 }, GENESIS);
      if (check.rows !== ROWS || check.breaks.length > 0) throw new Error('The chain does not verify.');
    },
    () => {
      for (const row of rows) hash('sha256', row.bytes, 'buffer');
    },
  );
  const rate = (time: number): string => `${Math.round(ROWS / time)} rows/ms`;
  return [
    {
      what: `verify ${ROWS} rows, against SHA-256 of each`,
      ours: rate(ours),
      reference: rate(reference),
      ratio: ratio(reference / ours),
    },
  ];
}
