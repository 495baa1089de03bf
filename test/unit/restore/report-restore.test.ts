import type { RestoreReport } from '../../../core/restore/restore-deployment.ts';
import { NO_FINDINGS } from '../../../core/verification/verification-state.ts';
import { reportLines, stepLine } from '../../../ops/report-restore.ts';

const written = { written: 10, same: 0, expired: 1, dropped: 2, workspaces: new Set<string>() };
const table = (itemCount: number) => ({
  exportArn: 'arn',
  tableArn: 'arn',
  instant: 0,
  itemCount,
  billedSizeBytes: 600_000_000,
  files: [],
});
const report: RestoreReport = {
  backup: {
    instant: Date.parse('2026-11-22T00:00:00Z'),
    tables: { vault: table(1_200), audit: table(34_000) },
  },
  steps: new Map([
    ['load', 700_000],
    ['verify', 24_000],
  ]),
  loaded: { vault: written, audit: written },
  workspaces: 2,
  refilled: 1,
  unsealed: 0,
  earlier: [{ workspaceId: 'ws_1', kind: 'secretVersion', id: 'sec_1.2', discord: 'gone', outcome: 'lost' }],
  reconciled: [
    { workspaceId: 'ws_1', kind: 'apiKey', id: 'key_1', discord: 'behind', outcome: 'closed' },
    { workspaceId: 'ws_1', kind: 'apiKey', id: 'key_2', discord: 'behind', outcome: 'closed' },
  ],
  scanned: { entities: 9, left: 0, cursors: 1, withoutValue: 0, samples: [] },
  settings: [
    { table: 'audit', setting: 'stream', outcome: 'right' },
    { table: 'audit', setting: 'resource policy', outcome: 'absent' },
  ],
  samples: { opened: 5, leftOut: 0, failures: [] },
  verdicts: [{ workspaceId: 'ws_1', findings: { ...NO_FINDINGS, rows: 34_001 } }],
  isGood: true,
};

test('a report tells size and time against the promise, and what was decided', () => {
  const text = reportLines(report).join('\n');
  expect(text).toContain('vault 1,200 items, audit 34,000 rows, 1.2 GB');
  expect(text).toContain('Time: 12 min 4 s of 30 min 0 s.');
  expect(text).toContain('2 apiKey behind: closed');
  expect(text).toContain('3 reconciled');
  expect(text).toContain('ws_1 secretVersion sec_1.2');
  expect(text).not.toContain('under no signature');
  expect(text).toContain('1 row put back from the archive');
  expect(text).toContain('1 webhook put back to the last row');
  expect(text).toContain(
    'audit: the resource policy is absent. Deploy the stack Data before anything writes.',
  );
  expect(text).not.toContain('stream');
  expect(text).not.toContain('left out: they');
  expect(text).toContain('Everything is whole.');
  expect(stepLine('load', 59_400)).toBe('Items of the backup written: 59 s');
});

test('what nobody signed and what somebody altered is named', () => {
  const text = reportLines({
    ...report,
    unsealed: 2,
    reconciled: [
      { workspaceId: 'ws_1', kind: 'webhook', id: 'wh_1', discord: 'unexplained', outcome: 'closed' },
    ],
    isGood: false,
  }).join('\n');
  expect(text).toContain('2 rows of the backup under no signature: what they opened was closed');
  expect(text).toContain('Altered by somebody:\n  ws_1 webhook wh_1');
});

test('a break and a value that did not open are named by ids and codes', () => {
  const breaks = [{ lane: 0, seq: 7, reason: 'broken_link' as const }];
  const text = reportLines({
    ...report,
    isGood: false,
    samples: { opened: 0, leftOut: 2, failures: [{ workspaceId: 'ws_1', id: 'sec_1', code: 'internal' }] },
    verdicts: [{ workspaceId: 'ws_1', findings: { ...NO_FINDINGS, broken: 1, breaks } }],
  }).join('\n');
  expect(text).toContain('ws_1 row 0-7: broken_link');
  expect(text).toContain(
    '0 samples opened, 1 failed\n  ws_1 sec_1: internal\n2 samples left out: they lie under customers’ keys',
  );
  expect(text).toContain('Something is not whole');
});
