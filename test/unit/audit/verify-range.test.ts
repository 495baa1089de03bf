import type { RequestContext } from '../../../core/access/principal.ts';
import { strangerOrigin } from '../../../core/audit/lane-start.ts';
import { verifyRange } from '../../../core/audit/verify-range.ts';
import { listNamespaces } from '../../../core/namespaces/list-namespaces.ts';
import { installedVault, type MemoryVault } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const MINUTE = 60_000;

let vault: MemoryVault;
let owner: RequestContext;
let tamperer: Tamperer;
let lane0: { workspaceId: string; lane: number };
let lane1: { workspaceId: string; lane: number };

/** Lane 0: rows 1 to 3 at the start, 4 to 8 a minute apart. Lane 1: rows 1 to 3, at minutes 1, 3 and 5. */
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  const { workspaceId } = owner.principal;
  [lane0, lane1] = [
    { workspaceId, lane: 0 },
    { workspaceId, lane: 1 },
  ];
  tamperer = new Tamperer(vault.tables);
  for (let minute = 1; minute <= 5; minute += 1) {
    vault.clock.advance(MINUTE);
    await listNamespaces(vault, owner, { limit: 1 });
    if (minute % 2 === 0) continue;
    await vault.trail.commit(strangerOrigin(workspaceId, '198.51.100.1', 'curl'), [
      { action: 'authentication.failed', entity: { type: 'workspace', id: workspaceId }, result: 'denied' },
    ]);
  }
});

/** Minutes after the start. */
const verify = (from: number | undefined, to: number | undefined) =>
  verifyRange(vault, owner.principal.workspaceId, {
    ...(from === undefined ? {} : { from: START + from * MINUTE }),
    ...(to === undefined ? {} : { to: START + to * MINUTE }),
  });

it.each([
  ['everything', undefined, undefined, 11, 8],
  ['from the start on', 0, undefined, 11, 8],
  ['the rows at the start', undefined, 1, 3, 3],
  ['a middle part, its end excluded', 2, 4, 3, 6],
  ['the last row of each lane', 5, undefined, 2, 8],
])('checks %s', async (_, from, to, rows, headSeq) => {
  const hash = tamperer.row(lane0, headSeq).hash;
  expect(await verify(from, to)).toEqual({
    ok: true,
    rows,
    entities: 0,
    head: { lane: 0, seq: headSeq, hash },
    breaks: [],
  });
});

it.each([
  ['before all rows', undefined, -1],
  ['after all rows', 6, undefined],
  ['turned round', 4, 2],
])('a span %s has no rows and no break', async (_, from, to) => {
  expect(await verify(from, to)).toMatchObject({ ok: true, rows: 0, head: { lane: 0, seq: 0 } });
});

it('finds an edit within the span, and not one outside', async () => {
  tamperer.putRow({ ...tamperer.row(lane0, 6), nonce: '0'.repeat(32) });
  expect((await verify(3, 4)).breaks).toEqual([{ lane: 0, seq: 6, reason: 'nonce_mismatch' }]);
  expect(await verify(4, undefined)).toMatchObject({ ok: true });
  expect(await verify(undefined, 3)).toMatchObject({ ok: true });
});

it('the first row of the span must follow the bytes of the row before it', async () => {
  tamperer.editBytes(lane0, 5, (text) => text.replace('203.0.113.7', '203.0.113.8'), true);
  expect((await verify(3, undefined)).breaks).toEqual([{ lane: 0, seq: 6, reason: 'broken_link' }]);
});

it('finds that the row before the span is gone', async () => {
  tamperer.removeRow(lane0, 5);
  expect((await verify(3, undefined)).breaks).toEqual([{ lane: 0, seq: 5, reason: 'missing_row' }]);
});

it('finds a hole within the span', async () => {
  tamperer.removeRow(lane1, 2);
  expect((await verify(0, undefined)).breaks).toEqual([{ lane: 1, seq: 2, reason: 'missing_row' }]);
});

it('finds its way past a row whose bytes are spoiled', async () => {
  tamperer.putRow({ ...tamperer.row(lane0, 6), bytes: Buffer.from('?') });
  expect((await verify(2, 5)).breaks).toEqual([{ lane: 0, seq: 6, reason: 'hash_mismatch' }]);
});

it('the strangers lane must start where lane 0 opened it', async () => {
  tamperer.rewriteFrom(lane0, 2, (row) => ({ ...row, ip: '192.0.2.1' }));
  expect((await verify(undefined, undefined)).breaks).toEqual([{ lane: 1, seq: 1, reason: 'broken_link' }]);
});
