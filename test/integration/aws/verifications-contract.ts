import {
  NEW_SCAN,
  NO_FINDINGS,
  newVerification,
  type WorkspaceVerification,
} from '../../../core/verification/verification-state.ts';
import { scanned } from '../../support/scanned.ts';
import { newWorkspace, type Ports } from './ports.ts';

const HASH = 'a'.repeat(64);

/** What every `VerificationStates` must do. */
export function describeVerifications(getPorts: () => Ports): void {
  let ws: string;
  beforeEach(() => {
    ws = newWorkspace();
  });
  const states = () => getPorts().verifications;
  const state = (version: number): WorkspaceVerification => ({ ...newVerification(ws), version });

  it('keeps a state as it is, to the last member', async () => {
    const anchor = { seq: 7, hash: HASH, storedHash: '', ts: '2026-01-01T00:00:00.000Z' };
    const tree = { size: 3, frontier: [HASH, HASH], next: { '0': 3, '1': 2 } };
    const findings = {
      ...NO_FINDINGS,
      broken: 1,
      breaks: [{ lane: 0, seq: 5, reason: 'entity_altered', entity: { kind: 'secret', id: '\u0000é"' } }],
    } as const;
    const whole: WorkspaceVerification = {
      ...state(1),
      leaseUntil: 12,
      failures: 2,
      verified: {
        lanes: { '0': anchor },
        tree: { ...tree, root: HASH },
        manifest: { day: '2026-01-01', sha256: HASH },
      },
      run: {
        id: 'ver_1',
        kind: 'complete',
        startedAt: 1,
        step: 'archive',
        rows: {
          lanes: [1],
          heads: { '0': anchor },
          missing: [{ kind: 'secret', id: 'x', seq: 4 }],
          ahead: anchor,
        },
        tree: { tree, target: { size: 3, root: HASH, readAt: 3 } },
        archive: { part: 1, partRows: 2, manifest: { day: '2026-01-01', sha256: HASH } },
        findings: { ...findings, breaks: [...findings.breaks] },
      },
      last: {
        complete: { id: 'ver_0', kind: 'complete', startedAt: 0, finishedAt: 1, findings: NO_FINDINGS },
      },
    };
    expect(await states().read(ws)).toBeUndefined();
    expect(await states().replace(whole)).toBe('replaced');
    expect(await states().read(ws)).toEqual(whole);
  });

  it('replaces only the state that was read', async () => {
    expect(await states().replace(state(2))).toBe('changed');
    expect(await states().replace(state(1))).toBe('replaced');
    expect(await states().replace(state(1))).toBe('changed');
    expect(await states().replace(state(3))).toBe('changed');
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => states().replace(state(2))));
    expect(outcomes.toSorted()).toEqual(['changed', 'changed', 'changed', 'replaced']);
  });

  it('lists the workspaces that have one', async () => {
    await states().replace(state(1));
    const other = newWorkspace();
    const found: string[] = [];
    for await (const page of states().workspaces()) found.push(...page);
    expect(found).toContain(ws);
    expect(found).not.toContain(other);
  });

  it('keeps the state of the scan', async () => {
    const before = (await states().readScan()) ?? NEW_SCAN;
    const run = {
      startedAt: 1,
      step: 'entities',
      registrationsThrough: 3,
      after: '["E#a","~"]',
      findings: NO_FINDINGS,
    } as const;
    const next = { ...before, version: before.version + 1, run };
    expect(await states().replaceScan(next)).toBe('replaced');
    expect(await states().replaceScan(next)).toBe('changed');
    expect(await states().readScan()).toEqual(next);
  });

  it('is bookkeeping, which no scan of the entities shows', async () => {
    await states().replace(state(1));
    const found = await scanned(getPorts().inspector);
    expect(found.filter(({ workspaceId, id }) => workspaceId === ws || id.startsWith('B#verify'))).toEqual(
      [],
    );
  });
}
