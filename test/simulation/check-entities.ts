import type { StoredEntity } from '../support/memory-store.ts';
import { canonical, type Facts, type Row, type RowChange, sha256 } from './facts.ts';

const REMOVED = '0'.repeat(64);

interface Told extends RowChange {
  readonly row: Row;
}

/**
 * I1, changes: each revision of each entity is told by exactly one row, one after the other; and each entity stands
 * as the last of these rows says, or is gone if that says so.
 */
export function checkEntities(facts: Facts): void {
  const { rows, evidence, report } = facts;
  const stories = Map.groupBy(
    rows.flatMap((row) => row.changes.map((change): Told => ({ ...change, row }))),
    ({ row, kind, id }) => `${row.ws}/${kind}/${id}`,
  );
  const stored = new Map(
    evidence.entities.map((one) => [`${one.entity.workspaceId}/${one.entity.kind}/${one.entity.id}`, one]),
  );
  const forgotten = Map.groupBy(
    evidence.forgotten,
    ({ workspaceId, kind, id }) => `${workspaceId}/${kind}/${id}`,
  );
  for (const [name, story] of stories) {
    const oblivions = (forgotten.get(name) ?? []).map(({ step }) => step);
    checkStory(facts, name, story, oblivions);
    checkStored(facts, name, story.at(-1), stored.get(name), oblivions);
  }
  for (const name of stored.keys()) {
    if (!stories.has(name)) report('I1', `no row tells of the entity ${name}`);
  }
}

function checkStory(
  { report }: Facts,
  name: string,
  story: readonly Told[],
  oblivions: readonly number[],
): void {
  let previous: Told | undefined;
  for (const told of story) {
    const before = previous;
    const wasForgotten = oblivions.some(
      (step) => before !== undefined && before.row.step <= step && step < told.row.step,
    );
    const isGone = before === undefined || before.digest === REMOVED || wasForgotten;
    const expected = isGone ? 1 : before.revision + 1;
    if (told.revision !== expected) {
      report('I1', `revision ${told.revision} of ${name} follows where ${expected} should`);
    }
    if (told.row.result === 'failure') report('I1', `the row of a failure changes ${name}`);
    previous = told;
  }
}

function checkStored(
  { report }: Facts,
  name: string,
  last: Told | undefined,
  found: StoredEntity | undefined,
  oblivions: readonly number[],
): void {
  if (last === undefined) return;
  if (last.digest === REMOVED) {
    if (found !== undefined) report('I1', `${name} was removed and is there`);
    return;
  }
  if (found === undefined) {
    if (!oblivions.some((step) => step >= last.row.step)) report('I1', `${name} is gone without a row`);
    return;
  }
  const { entity, row } = found;
  if (sha256(canonical(entity)) !== last.digest) report('I1', `${name} does not have the digest of its row`);
  if (entity.revision !== last.revision) report('I1', `${name} does not have the revision of its row`);
  if (row.lane !== last.row.lane || row.seq !== last.row.seq) report('I1', `${name} names another row`);
}
