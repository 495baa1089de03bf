import * as z from 'zod';
import { type EvidenceSchedule, evidencePrefix } from '../../../core/evidence-schedule/evidence-schedule.ts';
import { periodOf, RHYTHMS } from '../../../core/evidence-schedule/period.ts';
import {
  deleteEvidenceSchedule,
  getEvidenceSchedule,
  setEvidenceSchedule,
} from '../../../core/evidence-schedule/schedule-evidence.ts';
import { guarded } from '../http/route.ts';
import { etag } from './views.ts';

const every = z.enum(RHYTHMS);

const scheduleView = z.object({
  every: every.nullable(),
  /** Where the bundles lie in the archive's bucket. */
  prefix: z.string(),
  nextPeriod: z.object({ name: z.string(), from: z.iso.date(), to: z.iso.date() }).nullable(),
  exported: z.object({ period: z.string(), at: z.string() }).nullable(),
});

function answer(workspaceId: string, schedule: EvidenceSchedule | undefined) {
  return {
    status: 200,
    ...(schedule === undefined ? {} : { headers: etag(schedule) }),
    json: {
      every: schedule?.every ?? null,
      prefix: evidencePrefix(workspaceId),
      nextPeriod: schedule === undefined ? null : periodOf(schedule.every, schedule.nextFrom),
      exported: schedule?.exported ?? null,
    },
  };
}

export const evidenceScheduleRoutes = [
  guarded({
    method: 'GET',
    path: '/workspace/evidence-schedule',
    summary: 'How often evidence is exported to the archive, how far that is, and where it lies',
    permission: 'evidence_schedule:read',
    action: 'evidence_schedule.read',
    responses: [
      {
        status: 200,
        description: 'The schedule, with an ETag; "every" is null where there is none',
        schema: scheduleView,
      },
    ],
    handle: async (_, context, vault) =>
      answer(context.principal.workspaceId, await getEvidenceSchedule(vault, context)),
  }),
  guarded({
    method: 'PUT',
    path: '/workspace/evidence-schedule',
    summary: 'Has the evidence of each week or month written to the archive when it is over',
    permission: 'evidence_schedule:manage',
    action: 'evidence_schedule.updated',
    conditional: true,
    body: z.strictObject({ every }),
    responses: [{ status: 200, description: 'The schedule as it is now', schema: scheduleView }],
    handle: async ({ body }, context, vault) =>
      answer(context.principal.workspaceId, await setEvidenceSchedule(vault, context, body)),
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/evidence-schedule',
    summary: 'Has no more evidence exported; what was exported stays',
    permission: 'evidence_schedule:manage',
    action: 'evidence_schedule.deleted',
    conditional: true,
    responses: [{ status: 204, description: 'Nothing more is exported' }],
    handle: async (_, context, vault) => {
      await deleteEvidenceSchedule(vault, context);
      return { status: 204 };
    },
  }),
];
