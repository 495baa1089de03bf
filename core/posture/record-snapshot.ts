import { allDetectors } from '../anomaly/detectors.ts';
import { effectiveSettings, readSettings } from '../anomaly/settings.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { dayOf } from '../findings/finding.ts';
import type { FindingParts } from '../findings/finding-parts.ts';
import { create, update } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { type CorrectingParts, correctCounts } from '../plans/correct-counts.ts';
import { type Workspace, workspaceKind } from '../workspaces/workspace.ts';
import { POSTURE_CHECKS } from './checks.ts';
import type { PostureFacts } from './facts.ts';
import { SNAPSHOT_JOB, settlePostureFinding } from './posture-finding.ts';
import { postureSnapshotKind, SNAPSHOT_LIFE_MS, type Verdict } from './snapshot.ts';

export type RecordParts = FindingParts & CorrectingParts;

/**
 * Judges what was counted, brings the findings of the checks up to date, and records the snapshot of today. Each step is a
 * commit of its own, and none has an effect a second time but for one more row: a crash between leaves findings without
 * their snapshot, and the same slice is done again.
 *
 * @param counted what the lists told, from when on (epoch milliseconds).
 * @returns the day that is done with: today's, recorded or, where the workspace is gone by now, not.
 */
export async function recordSnapshot(
  parts: RecordParts,
  workspaceId: string,
  counted: { readonly from: number; readonly facts: PostureFacts },
): Promise<string> {
  const { store, trail, clock } = parts;
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined || workspace.deletedAt !== undefined) return dayOf(clock.now());
  const facts = { ...counted.facts, ...(await policyFacts(store, workspace)) };
  const checks: Verdict[] = [];
  for (const check of POSTURE_CHECKS) {
    const evidence = check.fault(facts);
    await settlePostureFinding(parts, workspaceId, check, evidence);
    checks.push({
      check: check.name,
      holds: evidence === undefined,
      ...(evidence === undefined ? {} : { evidence }),
    });
  }
  await correctCounts(parts, workspace, facts.secrets.active + facts.secrets.deleted);
  const now = clock.now();
  const content = {
    workspaceId,
    id: dayOf(now),
    countedFrom: timestamp(counted.from),
    recordedAt: timestamp(now),
    facts,
    checks,
    expiresAt: now + SNAPSHOT_LIFE_MS,
  };
  const failing = checks.filter(({ holds }) => !holds);
  const earlier = await store.get(postureSnapshotKind, workspaceId, content.id);
  await trail.commit(systemOrigin(workspaceId, SNAPSHOT_JOB), [
    {
      action: 'posture.recorded',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: {
        day: content.id,
        checks: String(checks.length),
        failing: failing.map(({ check }) => check).join(' ') || 'none',
      },
      changes: [
        earlier === undefined
          ? create(postureSnapshotKind, content)
          : update(postureSnapshotKind, earlier, content),
      ],
    },
  ]);
  return content.id;
}

/** What no list tells. */
async function policyFacts(
  store: Store,
  workspace: Workspace,
): Promise<Pick<PostureFacts, 'requiresMfa' | 'detectorsOff'>> {
  const overrides = (await readSettings(store, workspace.id))?.detectors ?? {};
  const settings = [...effectiveSettings(allDetectors, overrides)];
  return {
    requiresMfa: workspace.policy.requireMfa,
    detectorsOff: settings.filter(([, { enabled }]) => !enabled).map(([name]) => name),
  };
}
