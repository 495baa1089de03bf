import * as z from 'zod';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { getVerification } from '../../../core/verification/get-verification.ts';
import { startVerification } from '../../../core/verification/start-verification.ts';
import type { VerificationView } from '../../../core/verification/verification-view.ts';
import { guarded } from '../http/route.ts';
import { breakView } from './views.ts';

const kind = z.enum(['incremental', 'complete']);

const verificationView = z.object({
  id: z.string(),
  kind,
  state: z.enum(['running', 'done']),
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  checkedRows: z.int(),
  checkedEntities: z.int(),
  checkedLeaves: z.int(),
  checkedArchivedRows: z.int(),
  ok: z.boolean(),
  breakCount: z.int(),
  firstBreak: breakView.optional(),
  breaks: z.array(breakView).optional(),
});

export const verificationRoutes = [
  guarded({
    method: 'POST',
    path: '/audit/verifications',
    summary: 'Starts a verification that carries on by itself, or joins the one under way',
    permission: 'audit:verify',
    action: 'audit.verification_started',
    body: z.strictObject({ kind: kind.default('incremental') }),
    responses: [
      {
        status: 202,
        description: 'What has been checked so far; ok as far as that',
        schema: verificationView,
      },
    ],
    handle: async ({ body }, context, vault) => ({
      status: 202,
      json: view(await startVerification(vault, context, body)),
    }),
  }),
  guarded({
    method: 'GET',
    path: '/audit/verifications/{id}',
    summary: 'How far a verification has come, or what came of it',
    permission: 'audit:verify',
    action: 'audit.verification_read',
    params: z.strictObject({ id: z.string() }),
    responses: [{ status: 200, description: 'The verification', schema: verificationView }],
    handle: async ({ params }, context, vault) => ({
      status: 200,
      json: view(await getVerification(vault, context, params.id)),
    }),
  }),
];

function view({ findings, startedAt, finishedAt, ...verification }: VerificationView) {
  const { rows, entities, leaves, archivedRows, broken, breaks } = findings;
  const [firstBreak] = breaks;
  return {
    ...verification,
    startedAt: timestamp(startedAt),
    ...(finishedAt === undefined ? {} : { finishedAt: timestamp(finishedAt) }),
    checkedRows: rows,
    checkedEntities: entities,
    checkedLeaves: leaves,
    checkedArchivedRows: archivedRows,
    ok: broken === 0,
    breakCount: broken,
    ...(firstBreak === undefined ? {} : { firstBreak, breaks }),
  };
}
