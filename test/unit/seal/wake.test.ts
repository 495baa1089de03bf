import { readNewRow } from '../../../aws/stream-rows.ts';
import { type Wake, wakeWorkspaces } from '../../../core/seal/wake.ts';

const A = `ws_${'a'.repeat(32)}`;
const B = `ws_${'b'.repeat(32)}`;

function recorded() {
  const wakes: Wake[][] = [];
  return { wakes, send: async (sent: readonly Wake[]) => void wakes.push([...sent]) };
}

describe('wakeWorkspaces', () => {
  test('tells every queue once of each workspace, by its newest row', async () => {
    const queues = [recorded(), recorded()];
    const rows = [
      { workspaceId: A, position: '1' },
      { workspaceId: B, position: '2' },
      { workspaceId: A, position: '3' },
    ];
    expect(await wakeWorkspaces(queues, rows)).toBe(2);
    for (const { wakes } of queues) {
      expect(wakes).toEqual([
        [
          { workspaceId: A, newest: '3' },
          { workspaceId: B, newest: '2' },
        ],
      ]);
    }
  });

  test('asks nothing of a queue where there is nothing to tell', async () => {
    const queue = recorded();
    expect(await wakeWorkspaces([queue], [])).toBe(0);
    expect(queue.wakes).toEqual([]);
  });

  test('fails when one queue does, so that all is told again', async () => {
    const fails = { send: async () => Promise.reject(new Error('down')) };
    const rows = [{ workspaceId: A, position: '1' }];
    await expect(wakeWorkspaces([recorded(), fails], rows)).rejects.toThrow('down');
  });
});

describe('readNewRow', () => {
  const record = (pk: string) => ({ dynamodb: { Keys: { pk: { S: pk } }, SequenceNumber: '7' } });

  test.each([
    [`A#${A}#0`, A],
    [`A#${A}#17`, A],
    ['A#_platform#1', '_platform'],
  ])('finds the workspace of %s', (pk, workspaceId) => {
    expect(readNewRow(record(pk))).toEqual({ workspaceId, position: '7' });
  });

  test.each(['', 'A#', `A#${A}`, `A#${A}#x`, 'A#é#0', 'A#ws_1#0', `B#${A}#0`, `A#${A}#0#0`])(
    'passes over %j, which the vault never wrote',
    (pk) => {
      expect(readNewRow(record(pk))).toBeUndefined();
    },
  );

  test('passes over a record without keys or without a place', () => {
    expect(readNewRow({})).toBeUndefined();
    expect(readNewRow({ dynamodb: { Keys: { pk: { S: `A#${A}#0` } } } })).toBeUndefined();
  });
});
