import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/** What is done about a risk (ISO 31000 section 6.5): less of it, nothing, somebody else bears it, or its cause goes. */
export const TREATMENTS = ['mitigate', 'accept', 'transfer', 'avoid'] as const;
export type Treatment = (typeof TREATMENTS)[number];

export const RISK_STATES = ['open', 'closed'] as const;
export type RiskState = (typeof RISK_STATES)[number];

/** Likelihood and impact go from 1, hardly any, to this. */
export const MAX_LEVEL = 5;
/** Findings that bear on one risk. */
export const MAX_LINKED_FINDINGS = 20;

const level = z.int().min(1).max(MAX_LEVEL);

/** An entry of the risk register. It is never deleted; its history is the audit trail. */
const riskSchema = z.strictObject({
  kind: z.literal('risk'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  title: z.string(),
  description: z.string(),
  likelihood: level,
  impact: level,
  treatment: z.enum(TREATMENTS),
  /** The id of the member who takes care of it. */
  owner: z.string().optional(),
  /** The day, UTC, on which somebody looks at it again. */
  reviewDate: z.iso.date().optional(),
  state: z.enum(RISK_STATES),
  /** Ids of findings that bear on it. */
  findings: z.array(z.string()).max(MAX_LINKED_FINDINGS),
  createdAt: z.string(),
  createdBy: z.string(),
  updatedAt: z.string(),
  updatedBy: z.string(),
});

export type Risk = z.infer<typeof riskSchema>;

export const riskKind: Kind<Risk> = {
  name: 'risk',
  schema: riskSchema,
  listing: ({ workspaceId, createdAt, id }) => ({ list: riskList(workspaceId), key: `${createdAt}#${id}` }),
};

/** By the time when they were recorded. */
export function riskList(workspaceId: string): string {
  return `${workspaceId}#risks`;
}

/** How much a risk weighs: likelihood times impact, 1 to 25. */
export function riskScore({ likelihood, impact }: Pick<Risk, 'likelihood' | 'impact'>): number {
  return likelihood * impact;
}
