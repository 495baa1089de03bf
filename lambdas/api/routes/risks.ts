import * as z from 'zod';
import { MAX_TITLE_LENGTH } from '../../../core/findings/finding.ts';
import { getRisk, listRisks } from '../../../core/findings/read-risks.ts';
import { recordRisk } from '../../../core/findings/record-risk.ts';
import {
  MAX_LEVEL,
  MAX_LINKED_FINDINGS,
  RISK_STATES,
  type Risk,
  riskScore,
  TREATMENTS,
} from '../../../core/findings/risk.ts';
import { updateRisk } from '../../../core/findings/update-risk.ts';
import { notFound } from '../../../core/kernel/errors.ts';
import { isId } from '../../../core/kernel/ids.ts';
import { guarded } from '../http/route.ts';
import { cursor, day, label, limit, longText, memberId } from './fields.ts';
import { paging } from './paging.ts';
import { etag, pageOf } from './views.ts';

const level = z
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(MAX_LEVEL, `must be at most ${MAX_LEVEL}`);
const treatment = z.enum(TREATMENTS);
const state = z.enum(RISK_STATES);
const findings = z
  .array(z.string().refine((id) => isId('fnd', id), 'must be the id of a finding'))
  .max(MAX_LINKED_FINDINGS, `must have at most ${MAX_LINKED_FINDINGS} entries`)
  .refine((list) => new Set(list).size === list.length, 'must not name a finding twice');

const riskView = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  likelihood: z.int(),
  impact: z.int(),
  score: z.int(),
  treatment,
  owner: z.string().optional(),
  reviewDate: z.string().optional(),
  state,
  findings: z.array(z.string()),
  createdAt: z.string(),
  createdBy: z.string(),
  updatedAt: z.string(),
  updatedBy: z.string(),
  revision: z.int(),
});

function viewRisk(risk: Risk): z.infer<typeof riskView> {
  const { kind, workspaceId, ...shown } = risk;
  return { ...shown, score: riskScore(risk) };
}

const riskParams = z.strictObject({ id: z.string() });

function riskId({ id }: { readonly id: string }): string {
  if (!isId('rsk', id)) throw notFound('risk');
  return id;
}

/** The risk register: what might happen, how likely, how bad, and what is done about it. */
export const riskRoutes = [
  guarded({
    method: 'POST',
    path: '/risks',
    summary: 'Writes a risk into the register; its score is likelihood times impact',
    permission: 'finding:manage',
    action: 'risk.recorded',
    idempotent: true,
    body: z.strictObject({
      title: label(MAX_TITLE_LENGTH),
      description: longText.default(''),
      likelihood: level,
      impact: level,
      treatment,
      owner: memberId.optional(),
      reviewDate: day.optional(),
      findings: findings.default([]),
    }),
    responses: [{ status: 201, description: 'The risk, open', schema: riskView }],
    handle: async ({ body }, context, vault) => {
      const risk = await recordRisk(vault, context, body);
      return { status: 201, headers: etag(risk), json: viewRisk(risk) };
    },
  }),
  guarded({
    method: 'GET',
    path: '/risks',
    summary: 'The risk register of the workspace, oldest first',
    permission: 'finding:read',
    action: 'risk.listed',
    query: z.strictObject({
      state: state.optional(),
      treatment: treatment.optional(),
      owner: memberId.optional(),
      limit,
      cursor: cursor.optional(),
    }),
    responses: [{ status: 200, description: 'A page of risks', schema: pageOf(riskView) }],
    handle: async ({ query }, context, vault) => {
      const { limit: size, cursor: _cursor, ...filter } = query;
      const pages = paging<string>(vault, context, 'GET /risks', query);
      const page = await listRisks(vault, context, filter, { limit: size, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewRisk), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/risks/{id}',
    summary: 'A risk',
    permission: 'finding:read',
    action: 'risk.read',
    params: riskParams,
    responses: [{ status: 200, description: 'The risk', schema: riskView }],
    handle: async ({ params }, context, vault) => {
      const risk = await getRisk(vault, context, riskId(params));
      return { status: 200, headers: etag(risk), json: viewRisk(risk) };
    },
  }),
  guarded({
    method: 'PATCH',
    path: '/risks/{id}',
    summary: 'Judges a risk anew, closes it or opens it again; null takes a field away',
    permission: 'finding:manage',
    action: 'risk.updated',
    conditional: true,
    params: riskParams,
    body: z
      .strictObject({
        title: label(MAX_TITLE_LENGTH).optional(),
        description: longText.optional(),
        likelihood: level.optional(),
        impact: level.optional(),
        treatment: treatment.optional(),
        owner: memberId.nullable().optional(),
        reviewDate: day.nullable().optional(),
        state: state.optional(),
        findings: findings.optional(),
      })
      .refine((patch) => Object.keys(patch).length > 0, 'must change something'),
    responses: [{ status: 200, description: 'The risk as it is now', schema: riskView }],
    handle: async ({ params, body }, context, vault) => {
      const risk = await updateRisk(vault, context, riskId(params), body);
      return { status: 200, headers: etag(risk), json: viewRisk(risk) };
    },
  }),
];
