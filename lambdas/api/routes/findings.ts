import * as z from 'zod';
import { createFinding } from '../../../core/findings/create-finding.ts';
import {
  FINDING_SOURCES,
  FINDING_STATES,
  type Finding,
  isOverdue,
  MAX_TITLE_LENGTH,
  SEVERITIES,
} from '../../../core/findings/finding.ts';
import { getFinding, listFindings } from '../../../core/findings/read-findings.ts';
import { updateFinding } from '../../../core/findings/update-finding.ts';
import { notFound } from '../../../core/kernel/errors.ts';
import { isId } from '../../../core/kernel/ids.ts';
import { guarded } from '../http/route.ts';
import { cursor, day, flag, label, limit, longText, memberId } from './fields.ts';
import { paging } from './paging.ts';
import { etag, pageOf } from './views.ts';

const severity = z.enum(SEVERITIES);
const state = z.enum(FINDING_STATES);

const findingView = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  severity,
  owner: z.string().optional(),
  dueDate: z.string().optional(),
  overdue: z.boolean(),
  state,
  source: z.enum(FINDING_SOURCES),
  check: z.string().optional(),
  evidence: z.string().optional(),
  reason: z.string().optional(),
  createdAt: z.string(),
  createdBy: z.string(),
  updatedAt: z.string(),
  updatedBy: z.string(),
  closedAt: z.string().optional(),
  revision: z.int(),
});

function viewFinding(finding: Finding, now: number): z.infer<typeof findingView> {
  const { kind, workspaceId, ...shown } = finding;
  return { ...shown, overdue: isOverdue(finding, now) };
}

const findingParams = z.strictObject({ id: z.string() });

function findingId({ id }: { readonly id: string }): string {
  if (!isId('fnd', id)) throw notFound('finding');
  return id;
}

/** What has to be put right, and who does it until when. */
export const findingRoutes = [
  guarded({
    method: 'POST',
    path: '/findings',
    summary: 'Writes down something that has to be put right',
    permission: 'finding:manage',
    action: 'finding.opened',
    idempotent: true,
    body: z.strictObject({
      title: label(MAX_TITLE_LENGTH),
      description: longText.default(''),
      severity,
      owner: memberId.optional(),
      dueDate: day.optional(),
    }),
    responses: [{ status: 201, description: 'The finding, open', schema: findingView }],
    handle: async ({ body }, context, vault) => {
      const finding = await createFinding(vault, context, body);
      return { status: 201, headers: etag(finding), json: viewFinding(finding, vault.clock.now()) };
    },
  }),
  guarded({
    method: 'GET',
    path: '/findings',
    summary: 'The findings of the workspace, oldest first',
    permission: 'finding:read',
    action: 'finding.listed',
    query: z.strictObject({
      state: state.optional(),
      severity: severity.optional(),
      owner: memberId.optional(),
      overdue: flag.optional(),
      limit,
      cursor: cursor.optional(),
    }),
    responses: [{ status: 200, description: 'A page of findings', schema: pageOf(findingView) }],
    handle: async ({ query }, context, vault) => {
      const { limit: size, cursor: _cursor, ...filter } = query;
      const pages = paging<string>(vault, context, 'GET /findings', query);
      const page = await listFindings(vault, context, filter, { limit: size, ...(await pages.after()) });
      const now = vault.clock.now();
      return {
        status: 200,
        json: {
          items: page.items.map((finding) => viewFinding(finding, now)),
          nextCursor: await pages.nextCursor(page.next),
        },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/findings/{id}',
    summary: 'A finding',
    permission: 'finding:read',
    action: 'finding.read',
    params: findingParams,
    responses: [{ status: 200, description: 'The finding', schema: findingView }],
    handle: async ({ params }, context, vault) => {
      const finding = await getFinding(vault, context, findingId(params));
      return { status: 200, headers: etag(finding), json: viewFinding(finding, vault.clock.now()) };
    },
  }),
  guarded({
    method: 'PATCH',
    path: '/findings/{id}',
    summary:
      'Changes a finding, accepts it until its due date, closes it or opens it again; null takes a field away',
    permission: 'finding:manage',
    action: 'finding.updated',
    conditional: true,
    params: findingParams,
    body: z
      .strictObject({
        title: label(MAX_TITLE_LENGTH).optional(),
        description: longText.optional(),
        severity: severity.optional(),
        owner: memberId.nullable().optional(),
        dueDate: day.nullable().optional(),
        state: state.optional(),
        reason: longText.min(1, 'must not be empty').optional(),
      })
      .refine((patch) => Object.keys(patch).length > 0, 'must change something'),
    responses: [{ status: 200, description: 'The finding as it is now', schema: findingView }],
    handle: async ({ params, body }, context, vault) => {
      const finding = await updateFinding(vault, context, findingId(params), body);
      return { status: 200, headers: etag(finding), json: viewFinding(finding, vault.clock.now()) };
    },
  }),
];
