import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { createDynamoClient } from '../aws/dynamo-client.ts';
import { createDynamoLedger } from '../aws/dynamo-ledger.ts';
import { rowItem } from '../aws/items.ts';
import type { Ledger } from '../core/audit/ledger.ts';
import { createAuditTrail } from '../core/audit/trail.ts';
import { systemClock, systemRandom } from '../lambdas/shared/system.ts';
import { startDynamoDbLocal } from '../local/dynamodb-local.ts';
import { createTables, TABLES } from '../test/support/dynamo-tables.ts';
import { type Appends, costOfReveal, Writers } from './support/append-lanes.ts';
import { compare, type Line, ratio } from './support/measure.ts';
import { chain, origin, revealed } from './support/rows.ts';

const ROWS = 300;
const ROUNDS = 3;
/** Fewer where writers are in each other's way: with one lane they take their time. */
const CONTENDED_ROWS = 128;
const CONCURRENCIES = [1, 8, 32];
/** Function instances at one workspace, and the lanes that it has. */
const WRITERS = 32;
const LANES = [1, 4, 16];
/** Clients do something between two reveals. */
const PAUSE_MS = 200;

/**
 * Appending rows to one lane, against as many conditional puts of items of the same size to free keys of the same
 * table. A lane takes one row after the other by design, so its throughput does not rise with concurrency.
 */
export async function benchAppend(): Promise<Line[]> {
  const database = await startDynamoDbLocal();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
  });
  try {
    const client = createDynamoClient();
    await createTables(client);
    const ledger = createDynamoLedger(client, TABLES);
    return [...(await appendLines(client, ledger)), ...(await laneLines(client, ledger))];
  } finally {
    await database.stop();
  }
}

async function appendLines(client: DynamoDBDocumentClient, ledger: Ledger): Promise<Line[]> {
  let run = 0;
  const trail = createAuditTrail({ ledger, clock: systemClock, random: systemRandom });
  const line = async (concurrency: number): Promise<Line> => {
    const lane = { ...origin, workspaceId: `bench-${run++}` };
    const { ours, reference } = await compare(
      ROUNDS,
      () => spread(concurrency, () => trail.commit(lane, [revealed])),
      () => rawPuts(client, TABLES.auditTable, concurrency, `raw-${run++}`),
    );
    return {
      what: `append a row, concurrency ${concurrency}, against conditional PutItem`,
      ours: rate(ours),
      reference: rate(reference),
      ratio: ratio(reference / ours),
    };
  };
  const lines: Line[] = [];
  for (const concurrency of CONCURRENCIES) lines.push(await line(concurrency));
  return lines;
}

/**
 * Many function instances at one workspace, with its first lane alone and with more: how many rows they append, and
 * what a row costs them, lost races included.
 */
async function laneLines(client: DynamoDBDocumentClient, ledger: Ledger): Promise<Line[]> {
  const { units, bytes } = await costOfReveal(client, TABLES.auditTable);
  const costs = (who: string, { rows, sent, reads }: Appends): Line => ({
    what: `write units for each reveal, a row of ${bytes} bytes: ${who}`,
    ours: `${ratio((units * sent) / rows)} units, and ${ratio(reads / rows)} reads of a lane's last row`,
    reference: `${ratio(units)} units`,
    ratio: ratio(sent / rows),
  });
  const alone = new Writers(ledger, 'alone', 1, 1);
  const lines = [costs('one writer', await alone.reveal(CONTENDED_ROWS))];
  for (const lanes of LANES) {
    const writers = new Writers(ledger, `lanes-${lanes}`, WRITERS, lanes);
    const raw = () =>
      rawPuts(client, TABLES.auditTable, WRITERS, `raw-${lanes}-${systemClock.now()}`, CONTENDED_ROWS);
    const { ours, reference } = await compare(ROUNDS, () => writers.reveal(CONTENDED_ROWS), raw);
    const who = `${WRITERS} writers, ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`;
    lines.push(
      {
        what: `append a row, ${who}, against conditional PutItem`,
        ours: rate(ours, CONTENDED_ROWS),
        reference: rate(reference, CONTENDED_ROWS),
        ratio: ratio(reference / ours),
      },
      costs(who, await writers.reveal(CONTENDED_ROWS)),
      costs(`${who}, a pause of ${PAUSE_MS} ms after each`, await writers.reveal(CONTENDED_ROWS, PAUSE_MS)),
    );
  }
  return lines;
}

async function rawPuts(
  client: DynamoDBDocumentClient,
  table: string,
  concurrency: number,
  lane: string,
  rows = ROWS,
): Promise<void> {
  const [row] = chain(1);
  if (row === undefined) throw new Error('There is no row to put.');
  const item = rowItem(row);
  let next = 0;
  await spread(
    concurrency,
    () => {
      const Item = { ...item, pk: `A#${lane}#0`, sk: `R#${String(next++).padStart(16, '0')}` };
      return client.send(
        new PutCommand({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
      );
    },
    rows,
  );
}

/** Does the work that many times, so many at once. */
async function spread(concurrency: number, work: () => Promise<unknown>, times = ROWS): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

function rate(time: number, rows = ROWS): string {
  return `${Math.round((rows / time) * 1000)} rows/s`;
}
