import { entityDigest } from '../../core/kernel/entity.ts';
import { checkedLane } from '../support/check-lane.ts';
import { entityKey } from '../support/memory-store.ts';
import { checkKeys } from './check-keys.ts';
import { checkRequests } from './check-requests.ts';
import type { Commit, EvidentChange } from './evidence.ts';
import { replay } from './replay.ts';
import type { KeysWorld } from './world.ts';

/** All that is wrong after a history, one sentence each, by what lies in the tables and what was seen at the ports. */
export async function check(world: KeysWorld): Promise<string[]> {
  const { commits, complaints } = world.evidence;
  const values = await replay(world);
  return [
    ...complaints,
    ...commits.flatMap(checkExplained),
    ...checkStored(world),
    ...checkLanes(world),
    ...checkPlaintext(world),
    ...values.violations,
    ...checkKeys(world),
    ...checkRequests(world, values),
  ];
}

/** I1: each change has its row, which says what came of it. I5: and a row of its own workspace. */
function checkExplained({ rows, changes }: Commit): string[] {
  return changes.flatMap(({ op, entity, row }) => {
    if (op === 'check') return [];
    const explaining = rows.find(({ lane, seq }) => lane === String(row.lane) && seq === String(row.seq));
    const name = `${entity.kind}/${entity.id}`;
    const digest = op === 'put' ? entityDigest(entity) : '0'.repeat(64);
    const isSaid = explaining?.changes.some((one) => `${one.kind}/${one.id}` === name && one.digest === digest);
    return [
      ...(isSaid === true ? [] : [`I1: no row explains ${name}`]),
      ...(explaining?.ws === entity.workspaceId ? [] : [`I5: a row of ${explaining?.ws} changes ${name}`]),
    ];
  });
}

/** I1: what is stored is what the commits left behind, and nothing else. */
function checkStored({ tables, evidence }: KeysWorld): string[] {
  const expected = new Map<string, EvidentChange>();
  for (const { changes } of evidence.commits) {
    for (const change of changes) {
      if (change.op === 'put') expected.set(entityKey(change.entity), change);
      if (change.op === 'remove') expected.delete(entityKey(change.entity));
    }
  }
  const keys = new Set([...expected.keys(), ...tables.entities.keys()]);
  return [...keys].filter((key) => {
    const [is, should] = [tables.entities.get(key)?.entity, expected.get(key)?.entity];
    return is === undefined || should === undefined || entityDigest(is) !== entityDigest(should);
  }).map((key) => `I1: ${key} changed without a commit`);
}

/** I2 and I3: the rows of each lane are one chain, and each commit's are among them. */
function checkLanes({ tables, evidence }: KeysWorld): string[] {
  const lanes = Map.groupBy(tables.rows.values(), ({ workspaceId, lane }) => `${workspaceId}#${lane}`);
  const broken = [...lanes].flatMap(([name, [first]]) => {
    if (first === undefined || first.lane > 0) return [];
    try {
      checkedLane(tables, first);
      return [];
    } catch (error) {
      return [`I3: the lane ${name} is broken: ${String(error)}`];
    }
  });
  const written = evidence.commits.reduce((count, { rows }) => count + rows.length, 0);
  return written === tables.rows.size ? broken : [...broken, 'I2: rows were lost, or came from nowhere'];
}

/** I4: no value, and no data key, stands anywhere as it is. */
function checkPlaintext({ tables, evidence }: KeysWorld): string[] {
  const bytes = [
    ...[...tables.rows.values()].map((row) => Buffer.from(row.bytes)),
    ...evidence.commits.flatMap(({ changes }) => changes.flatMap(({ entity }) => partsOf(entity))),
  ];
  const all = Buffer.concat(bytes).toString('latin1');
  const told = evidence.dataKeys.filter((key) =>
    [key.toString('latin1'), key.toString('hex'), key.toString('base64')].some((form) => all.includes(form)),
  );
  return [
    ...(/PLAINTEXT|TXETNIALP/.test(all) ? ['I4: a value is stored as it is'] : []),
    ...(told.length > 0 ? ['I4: a data key is stored as it is'] : []),
  ];
}

function partsOf(entity: object): Buffer[] {
  return Object.values(entity).map((value: unknown) =>
    Buffer.from(value instanceof Uint8Array ? value : JSON.stringify(value ?? null)),
  );
}
