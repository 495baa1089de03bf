import { hash } from 'node:crypto';
import { entityDigest } from '../../core/kernel/entity.ts';
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
    const isSaid = explaining?.changes.some(
      (one) => `${one.kind}/${one.id}` === name && one.digest === digest,
    );
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
  return [...keys]
    .filter((key) => {
      const [is, should] = [tables.entities.get(key)?.entity, expected.get(key)?.entity];
      return is === undefined || should === undefined || entityDigest(is) !== entityDigest(should);
    })
    .map((key) => `I1: ${key} changed without a commit`);
}

/** I2 and I3: the rows of each lane are one unbroken chain, and there are as many as were committed. */
function checkLanes({ tables, evidence }: KeysWorld): string[] {
  const lanes = Map.groupBy(tables.rows.values(), ({ workspaceId, lane }) => `${workspaceId}#${lane}`);
  const broken = [...lanes].flatMap(([name, rows]) => {
    let [prev, ts] = [undefined as string | undefined, ''];
    return rows
      .toSorted((a, b) => a.seq - b.seq)
      .flatMap((stored, index) => {
        const row = JSON.parse(Buffer.from(stored.bytes).toString('utf8'));
        const start = stored.lane === 0 ? '0'.repeat(64) : row.prev;
        const isNext = stored.seq === index + 1 && row.prev === (prev ?? start) && row.ts >= ts;
        [prev, ts] = [hash('sha256', Buffer.concat([LEAF, stored.bytes])), row.ts];
        return isNext && prev === stored.hash
          ? []
          : [`I3: the row ${name}#${stored.seq} does not follow the one before`];
      });
  });
  const written = evidence.commits.reduce((count, { rows }) => count + rows.length, 0);
  return written === tables.rows.size ? broken : [...broken, 'I2: rows were lost, or came from nowhere'];
}

const LEAF = Uint8Array.of(0);

/** I4: no value, and no data key, stands anywhere as it is. */
function checkPlaintext({ tables, evidence }: KeysWorld): string[] {
  const fields: unknown[] = evidence.commits.flatMap(({ changes }) =>
    changes.flatMap(({ entity }) => Object.values(entity)),
  );
  const binaries = fields.filter((field) => field instanceof Uint8Array);
  const rows = [...tables.rows.values()].map(({ bytes }) => Buffer.from(bytes).toString('utf8'));
  const binary = Buffer.concat(binaries).toString('latin1');
  const text = [...rows, JSON.stringify(fields.filter((field) => !(field instanceof Uint8Array)))].join('\n');
  const words = new Set(text.match(/[\w+/=-]{32,}/g));
  const told = evidence.dataKeys.filter(
    (key) =>
      binary.includes(key.toString('latin1')) ||
      (['hex', 'base64', 'base64url'] as const).some((form) => words.has(key.toString(form))),
  );
  return [
    ...(/PLAINTEXT|TXETNIALP/.test(text + binary) ? ['I4: a value is stored as it is'] : []),
    ...(told.length > 0 ? ['I4: a data key is stored as it is'] : []),
  ];
}
