import * as z from 'zod';
import { SEVERITIES } from '../../../core/findings/finding.ts';
import { POSTURE_CHECKS } from '../../../core/posture/checks.ts';
import { postureFactsSchema } from '../../../core/posture/facts.ts';
import { getPosture } from '../../../core/posture/get-posture.ts';
import { postureFindingId } from '../../../core/posture/posture-finding.ts';
import type { PostureSnapshot, Verdict } from '../../../core/posture/snapshot.ts';
import { guarded } from '../http/route.ts';
import { day } from './fields.ts';

const verdictView = z.object({
  check: z.string(),
  holds: z.boolean(),
  severity: z.enum(SEVERITIES).optional(),
  evidence: z.string().optional(),
  findingId: z.string().optional(),
});

const postureView = z.object({
  day: z.string(),
  countedFrom: z.string(),
  recordedAt: z.string(),
  facts: postureFactsSchema,
  checks: z.array(verdictView),
});

function viewPosture(snapshot: PostureSnapshot): z.infer<typeof postureView> {
  const { id, workspaceId, countedFrom, recordedAt, facts, checks } = snapshot;
  return {
    day: id,
    countedFrom,
    recordedAt,
    facts,
    checks: checks.map((verdict) => viewVerdict(workspaceId, verdict)),
  };
}

function viewVerdict(workspaceId: string, verdict: Verdict): z.infer<typeof verdictView> {
  if (verdict.holds) return verdict;
  // A check of long ago may be one no more.
  const severity = POSTURE_CHECKS.find(({ name }) => name === verdict.check)?.severity;
  return {
    ...verdict,
    ...(severity === undefined ? {} : { severity }),
    findingId: postureFindingId(workspaceId, verdict.check),
  };
}

export const postureRoutes = [
  guarded({
    method: 'GET',
    path: '/workspace/posture',
    summary:
      'What the workspace holds, and which checks it passes: the latest daily snapshot, or that of a day',
    permission: 'finding:read',
    action: 'posture.read',
    query: z.strictObject({ day: day.optional() }),
    responses: [{ status: 200, description: 'The snapshot', schema: postureView }],
    handle: async ({ query }, context, vault) => ({
      status: 200,
      json: viewPosture(await getPosture(vault, context, query.day)),
    }),
  }),
];
