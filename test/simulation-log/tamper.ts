import { SeededRandom } from '../support/random.ts';
import { EDITS } from './edits.ts';
import { type Judge, offlineJudge, vaultJudge } from './judges.ts';
import { SealedLog } from './sealed-log.ts';

/**
 * `node --import tsx test/simulation-log/tamper.ts <edits> <seed>`: makes so many random edits in sealed logs, one at a
 * time, each judged by both verifiers. Prints how many of each kind were made, and stops at the first that is not found
 * at its place.
 */
const [edits = 1_000, seed = 1] = process.argv.slice(2).map(Number);
const LOGS = 20;
const LEAST_ROWS = 7;

interface Judged {
  readonly log: SealedLog;
  readonly vault: Judge;
  readonly offline: Judge;
}

const random = new SeededRandom(seed);
const logs: Judged[] = [];
for (let number = 0; number < LOGS; number += 1) {
  const log = await new SealedLog(seed * LOGS + number).make(LEAST_ROWS + random.below(5));
  logs.push({ log, vault: await vaultJudge(log), offline: await offlineJudge(log) });
}
for (const judged of logs) await expectPlaces('nothing', judged, undefined, undefined);

const made = new Map(EDITS.map(({ name }) => [name, 0]));
for (let count = 0; count < edits; ) {
  for (const { name, apply } of EDITS) {
    const judged = logs[random.below(LOGS)];
    const edit = judged && apply(judged.log, random);
    if (edit === undefined || count === edits) continue;
    await expectPlaces(name, judged, edit.place, edit.isInRows ? edit.place : undefined);
    made.set(name, (made.get(name) ?? 0) + 1);
    count += 1;
    judged?.log.restore();
  }
}
process.stdout.write(JSON.stringify(Object.fromEntries(made)));

async function expectPlaces(
  name: string,
  judged: Judged | undefined,
  vault: string | undefined,
  offline: string | undefined,
): Promise<void> {
  const found = { vault: await judged?.vault(), offline: await judged?.offline() };
  if (found.vault === vault && found.offline === offline) return;
  const expected = `expected ${JSON.stringify({ vault, offline })}, found ${JSON.stringify(found)}`;
  const order = judged?.log.leaves.map(({ lane, seq }) => `${lane}-${seq}`).join(' ');
  process.stderr.write(`${name}: ${expected}, in ${order}, seed ${seed}\n`);
  process.exit(1);
}
