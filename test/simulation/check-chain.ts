import { canonical, type Facts, type Row, rowName, sha256 } from './facts.ts';

const ZEROS = '0'.repeat(64);
const LEAF = Uint8Array.of(0);
const FIRST_EXTRA_LANE = 2;

/**
 * I2: each row that the tables accepted is there as it was written, and no other. I3: the rows of a lane are one chain
 * without gaps or forks, in time; lane 0 starts from nothing, any other where a row of lane 0 opened it. Beside the
 * lanes of principals and strangers nothing is changed, and what is about one thing stays in one lane.
 */
export function checkChain(facts: Facts): void {
  checkKept(facts);
  const lanes = Map.groupBy(facts.rows, ({ stored }) => `${stored.workspaceId}/${stored.lane}`);
  for (const rows of lanes.values()) checkLane(facts, rows, laneStart(facts, rows));
  checkExtraLanes(facts);
}

function checkKept({ evidence, report }: Facts): void {
  const kept = new Map(evidence.rows.map((stored) => [rowName(stored), Buffer.from(stored.bytes)]));
  const written = new Set<string>();
  for (const { rows } of evidence.commits) {
    for (const row of rows) {
      const name = rowName(row);
      if (written.has(name)) report('I3', `the row ${name} was written twice`);
      written.add(name);
      const bytes = kept.get(name);
      if (bytes === undefined) report('I2', `the row ${name} is gone`);
      else if (!bytes.equals(row.bytes)) report('I2', `the row ${name} is not as it was written`);
    }
  }
  for (const name of kept.keys()) {
    if (!written.has(name)) report('I2', `the row ${name} came from nowhere`);
  }
}

function laneStart({ rows }: Facts, [first]: readonly Row[]): string | undefined {
  if (first === undefined || first.lane === 0) return ZEROS;
  const opening = rows.find(
    ({ ws, lane, action, detail }) =>
      ws === first.ws && lane === 0 && action === 'lane.opened' && detail['lane'] === String(first.lane),
  );
  return opening?.stored.hash;
}

function checkLane({ report }: Facts, rows: readonly Row[], start: string | undefined): void {
  let previous = { hash: start, ts: '', step: 0 };
  for (const [index, row] of rows.entries()) {
    const { stored } = row;
    const name = rowName(stored);
    if (stored.hash !== sha256(LEAF, stored.bytes)) report('I2', `the row ${name} does not have its hash`);
    if (canonical(row.fields) !== row.text) report('I2', `the row ${name} is not canonical`);
    if (stored.nonce !== row.nonce) report('I2', `the row ${name} does not have its nonce`);
    const isInPlace = row.ws === stored.workspaceId && row.lane === stored.lane && row.seq === stored.seq;
    if (!isInPlace) report('I3', `the row ${name} stands in another's place`);
    if (row.seq !== index + 1) report('I3', `before the row ${name} there is a gap`);
    if (row.prev !== previous.hash) report('I3', `the row ${name} does not follow the one before`);
    if (row.ts < previous.ts) report('I3', `the row ${name} is earlier than the one before`);
    if (row.step < previous.step) report('I3', `the row ${name} was written before the one before`);
    previous = { hash: stored.hash, ts: row.ts, step: row.step };
  }
}

/** A commit goes to one lane as a whole, by what its first row is about. */
function checkExtraLanes({ rows, evidence, report }: Facts): void {
  const contents = new Map(rows.map((row) => [rowName(row.stored), row]));
  const homes = new Map<string, number>();
  for (const commit of evidence.commits) {
    const [first] = commit.rows;
    const row = first && contents.get(rowName(first));
    if (row === undefined || row.lane < FIRST_EXTRA_LANE) continue;
    const subject = `${row.ws}/${row.entity.type}/${row.entity.id}`;
    const home = homes.get(subject) ?? row.lane;
    if (row.lane !== home) report('I3', `the row ${rowName(row.stored)} belongs into lane ${home}`);
    homes.set(subject, home);
  }
  for (const { lane, changes, stored } of rows) {
    if (lane >= FIRST_EXTRA_LANE && changes.length > 0)
      report('I3', `the row ${rowName(stored)} changes something outside of lane 0`);
  }
}
