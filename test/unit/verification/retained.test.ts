import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { allKinds } from '../../../core/kinds.ts';
import { readFloor } from '../../../core/retention/floor.ts';
import type { VerificationParts } from '../../../core/verification/verification-parts.ts';
import type { Findings, VerificationKind } from '../../../core/verification/verification-state.ts';
import { verifyDue } from '../../../core/verification/verify-due.ts';
import { verifyOnOrder } from '../../../core/verification/verify-on-order.ts';
import { ArchivedLog } from '../../support/archived-log.ts';
import { MemoryVerifications } from '../../support/memory-verifications.ts';
import { SeededRandom } from '../../support/random.ts';
import { Tamperer } from '../../support/tamper.ts';

let log: ArchivedLog;
let parts: VerificationParts;
const ws = 'ws_1';
/** Three days, archived; a year later the first of them is given up: rows 1 to 5 of lane 0, 1 and 2 of lane 1. */
beforeEach(async () => {
  log = await new ArchivedLog().begin();
  parts = {
    ...log.parts,
    inspector: log.tables.inspector,
    kinds: allKinds,
    log: log.parts,
    verifications: new MemoryVerifications(log.tables),
    random: new SeededRandom(3),
  };
  await log.day(3, 2);
  await log.day(2);
  await log.day(1, 1);
  await log.run();
});

const giveUp = async () => {
  log.goTo(log.start + (365 + 1) * DAY_MS);
  await log.seal();
  await log.run();
  expect(await log.retain()).toMatchObject({ deleted: 7 });
  await log.seal();
};
async function verify(kind: VerificationKind): Promise<Findings> {
  const result = await verifyOnOrder(parts, ws, kind, { mayGoOn: () => true, slice: 3 });
  if (result?.findings === undefined) throw result?.error ?? new Error('The verification did not end.');
  return result.findings;
}

it('verification starts at the floor, and follows the tree from its first leaf', async () => {
  expect(await verify('incremental')).toMatchObject({ breaks: [], rows: 11, leaves: 11 });
  await giveUp();
  expect(await verify('incremental')).toMatchObject({ breaks: [], rows: 3 });
  expect(await verify('complete')).toMatchObject({ breaks: [], leaves: 14 });
  expect(await verifyWorkspace(parts, ws)).toMatchObject({ ok: true, breaks: [] });
});

it('rows given up while a verification is under way are no break', async () => {
  const run = verifyOnOrder(parts, ws, 'complete', { mayGoOn: () => true, slice: 3 });
  let isDue = true;
  log.tables.answers = async ({ name }) => {
    if (name !== 'ledger.rows' || !isDue) return;
    isDue = false;
    await giveUp();
  };
  expect((await run)?.findings?.breaks).toEqual([]);
});

it('a floor that somebody moved by hand is not believed', async () => {
  await giveUp();
  const tamperer = new Tamperer(log.tables);
  const floor = await readFloor(log.parts.store, ws);
  const moved = { ...floor?.lanes[0], throughSeq: 7, hash: log.tables.lane(log.lane())[1]?.hash };
  tamperer.editEntity('retentionFloor', ws, { lanes: { ...floor?.lanes, 0: moved } });
  tamperer.removeRow(log.lane(), 6);
  tamperer.removeRow(log.lane(), 7);
  const { breaks } = await verify('complete');
  expect(breaks).toContainEqual({ lane: 0, seq: 1, reason: 'missing_row' });
  expect(breaks).toContainEqual(
    expect.objectContaining({ reason: 'entity_altered', entity: { kind: 'retentionFloor', id: ws } }),
  );
});

describe('an entity whose row was given up', () => {
  const scan = async (): Promise<Findings | undefined> => {
    let found: Findings | undefined;
    for await (const { kind, findings } of verifyDue(parts, { mayGoOn: () => true }))
      if (kind === 'entities') found = findings;
    return found;
  };

  it('is explained by the published log, unless it was edited or slipped in', async () => {
    await giveUp();
    expect(await scan()).toMatchObject({ broken: 0, entities: 2 });
    log.clock.advance(DAY_MS);
    const tamperer = new Tamperer(log.tables);
    const { entity, row } = tamperer.entity('workspace', ws);
    tamperer.editEntity('workspace', ws, { name: 'Forged' });
    tamperer.putEntity({ ...entity, workspaceId: ws, id: 'ws_2' }, row);
    expect((await scan())?.breaks).toMatchObject([
      { seq: 1, reason: 'entity_unexplained' },
      { seq: 1, reason: 'entity_unexplained' },
    ]);
  });
});
