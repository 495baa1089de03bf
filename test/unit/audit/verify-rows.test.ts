import type { RequestContext } from '../../../core/access/principal.ts';
import { strangerOrigin } from '../../../core/audit/lane-start.ts';
import { decodeRow, encodeRow, rowHash } from '../../../core/audit/row.ts';
import { MAX_BREAKS } from '../../../core/audit/verify-lane.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { getSecret } from '../../../core/secrets/get-secret.ts';
import { updateSecret } from '../../../core/secrets/update-secret.ts';
import { installedVault, type MemoryVault } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

let vault: MemoryVault;
let owner: RequestContext;
let tamperer: Tamperer;
let secretId: string;
let lane0: { workspaceId: string; lane: number };
let lane1: { workspaceId: string; lane: number };

/** Lane 0: 1 workspace, 2 lane opened, 3 key, 4 namespace, 5 secret, 6 to 10 metadata read. Lane 1: 1 to 3 failures. */
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  const { workspaceId } = owner.principal;
  [lane0, lane1] = [
    { workspaceId, lane: 0 },
    { workspaceId, lane: 1 },
  ];
  tamperer = new Tamperer(vault.tables);
  ({ id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' }));
  for (let count = 0; count < 5; count += 1) {
    vault.clock.advance(1_000);
    await getSecret(vault, owner, secretId);
  }
  for (let count = 0; count < 3; count += 1) {
    await vault.trail.commit(strangerOrigin(workspaceId, '198.51.100.1', 'curl'), [
      {
        action: 'authentication.failed',
        entity: { type: 'workspace', id: workspaceId },
        result: 'denied',
        detail: { reason: 'revoked' },
      },
    ]);
  }
});

const verify = () => verifyWorkspace(vault, owner.principal.workspaceId);
const otherActor = (text: string): string => text.replace(owner.principal.id, `key_${'0'.repeat(32)}`);

it('an honest workspace verifies: all rows of both lanes, all entities, and the head of lane 0', async () => {
  expect(await verify()).toEqual({
    ok: true,
    rows: 13,
    // Workspace, installation, used token, owner's key, namespace, secret, its version, its name.
    entities: 8,
    head: { lane: 0, seq: 10, hash: vault.tables.lane(lane0).at(-1)?.hash },
    breaks: [],
  });
});

it('a workspace without rows verifies as empty', async () => {
  expect(await verifyWorkspace(vault, 'ws_none')).toEqual({
    ok: true,
    rows: 0,
    entities: 0,
    head: { lane: 0, seq: 0, hash: '0'.repeat(64) },
    breaks: [],
  });
});

const tamperings: [
  name: string,
  tamper: () => void,
  breaks: [lane: number, seq: number, reason: string][],
][] = [
  [
    'bytes edited, hash left',
    () => tamperer.editBytes(lane0, 7, otherActor, false),
    [[0, 7, 'hash_mismatch']],
  ],
  [
    'bytes edited in the strangers lane, hash left',
    () => tamperer.editBytes(lane1, 2, (text) => text.replace('revoked', 'unknown'), false),
    [[1, 2, 'hash_mismatch']],
  ],
  [
    'bytes and hash edited: the next row no longer follows',
    () => tamperer.editBytes(lane0, 7, otherActor, true),
    [[0, 8, 'broken_link']],
  ],
  [
    'hash edited alone, once: the next row follows the bytes',
    () => tamperer.putRow({ ...tamperer.row(lane0, 7), hash: 'f'.repeat(64) }),
    [[0, 7, 'hash_mismatch']],
  ],
  [
    'bytes and hash edited apart: neither it nor the next fits',
    () => {
      tamperer.editBytes(lane0, 7, otherActor, false);
      tamperer.putRow({ ...tamperer.row(lane0, 7), hash: 'f'.repeat(64) });
    },
    [
      [0, 7, 'hash_mismatch'],
      [0, 8, 'broken_link'],
    ],
  ],
  ['a row deleted', () => tamperer.removeRow(lane0, 7), [[0, 7, 'missing_row']]],
  ['the first row deleted', () => tamperer.removeRow(lane1, 1), [[1, 1, 'missing_row']]],
  [
    'the middle cut out',
    () => {
      for (const seq of [6, 7, 8]) tamperer.removeRow(lane0, seq);
    },
    [[0, 6, 'missing_row']],
  ],
  [
    'two holes: each is told',
    () => {
      for (const seq of [7, 9]) tamperer.removeRow(lane0, seq);
    },
    [
      [0, 7, 'missing_row'],
      [0, 9, 'missing_row'],
    ],
  ],
  [
    'a row deleted and the rest moved up',
    () => {
      for (const seq of [7, 8, 9]) tamperer.putRow({ ...tamperer.row(lane0, seq + 1), seq });
      tamperer.removeRow(lane0, 10);
    },
    [
      [0, 7, 'wrong_place'],
      [0, 8, 'wrong_place'],
      [0, 9, 'wrong_place'],
    ],
  ],
  [
    'a row inserted, itself well linked, and the rest moved down',
    () => {
      for (const seq of [10, 9]) tamperer.putRow({ ...tamperer.row(lane0, seq), seq: seq + 1 });
      const before = tamperer.row(lane0, 8);
      const nonce = '0'.repeat(32);
      const bytes = encodeRow({ ...decodeRow(before.bytes), seq: 9, prev: before.hash, nonce });
      tamperer.putRow({ ...before, seq: 9, bytes, hash: rowHash(bytes), nonce });
    },
    [
      [0, 10, 'wrong_place'],
      [0, 11, 'wrong_place'],
    ],
  ],
  [
    'two rows swapped',
    () => {
      const [one, other] = [tamperer.row(lane0, 6), tamperer.row(lane0, 7)];
      tamperer.putRow({ ...one, seq: 7 });
      tamperer.putRow({ ...other, seq: 6 });
    },
    [
      [0, 6, 'wrong_place'],
      [0, 7, 'wrong_place'],
      [0, 8, 'broken_link'],
    ],
  ],
  [
    'a row of the other lane put in its place',
    () => tamperer.putRow({ ...tamperer.row(lane1, 2), lane: 0 }),
    [
      [0, 2, 'wrong_place'],
      [0, 3, 'broken_link'],
      [1, 1, 'lane_not_opened'],
    ],
  ],
  [
    'the nonce beside the row replaced',
    () => tamperer.putRow({ ...tamperer.row(lane0, 7), nonce: '0'.repeat(32) }),
    [[0, 7, 'nonce_mismatch']],
  ],
  [
    'time turned back, and every later row written anew',
    () => tamperer.rewriteFrom(lane0, 8, (row) => ({ ...row, ts: '2026-01-01T00:00:00.500Z' })),
    [[0, 8, 'time_reversed']],
  ],
  [
    'a version that is not known',
    () => tamperer.editBytes(lane0, 7, (text) => text.replace('"v":1', '"v":2'), true),
    [
      [0, 7, 'unknown_version'],
      [0, 8, 'broken_link'],
    ],
  ],
  [
    'bytes that are no row',
    () => tamperer.editBytes(lane0, 7, () => 'nothing', true),
    [
      [0, 7, 'malformed'],
      [0, 8, 'broken_link'],
    ],
  ],
  [
    'the same content in another spelling',
    () => tamperer.editBytes(lane0, 7, (text) => `${text} `, true),
    [
      [0, 7, 'not_canonical'],
      [0, 8, 'broken_link'],
    ],
  ],
  [
    'the row that opened the strangers lane rewritten as something else',
    () => tamperer.rewriteFrom(lane0, 2, (row) => ({ ...row, action: 'secret.read' })),
    [[1, 1, 'lane_not_opened']],
  ],
  [
    'all of lane 0 written anew: the strangers lane does not start there',
    () => tamperer.rewriteFrom(lane0, 1, (row) => ({ ...row, ip: '192.0.2.1' })),
    [[1, 1, 'broken_link']],
  ],
];

it.each(tamperings)('finds %s', async (_, tamper, expected) => {
  tamper();
  const { ok, breaks } = await verify();
  expect(ok).toBe(false);
  const rows = breaks.filter(({ entity }) => entity === undefined);
  expect(rows).toEqual(expected.map(([lane, seq, reason]) => ({ lane, seq, reason })));
});

it('a tail that is cut off shows by the entities which its rows had changed', async () => {
  const { id } = await updateSecret(vault, owner, secretId, { isCUI: true });
  tamperer.removeRow(lane0, 11);
  expect((await verify()).breaks).toEqual([
    { lane: 0, seq: 5, reason: 'entity_altered', entity: { kind: 'secret', id } },
  ]);
});

it('tells at most twenty breaks of a lane, and still reads it to its end', async () => {
  for (let count = 0; count < 30; count += 1) {
    await vault.trail.commit({ ...lane0, actor: { type: 'system', id: 'test' }, ip: '-', userAgent: '' }, [
      { action: 'secret.listed', entity: { type: 'workspace', id: 'w' }, result: 'success' },
    ]);
  }
  for (let seq = 11; seq <= 40; seq += 1)
    tamperer.putRow({ ...tamperer.row(lane0, seq), nonce: '0'.repeat(32) });
  const { breaks, rows } = await verify();
  expect(breaks).toHaveLength(MAX_BREAKS);
  expect(rows).toBe(43);
});
