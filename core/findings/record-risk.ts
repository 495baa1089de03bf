import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type IdempotencyParts, once } from '../idempotency/once.ts';
import { create } from '../kernel/entity.ts';
import { newId } from '../kernel/ids.ts';
import type { Random } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { demandMember } from './finding-parts.ts';
import { type Risk, riskKind, type Treatment } from './risk.ts';
import { demandFindings, findRisk, riskEvent } from './risk-parts.ts';

export interface NewRisk {
  readonly title: string;
  readonly description: string;
  readonly likelihood: number;
  readonly impact: number;
  readonly treatment: Treatment;
  readonly owner?: string | undefined;
  readonly reviewDate?: string | undefined;
  readonly findings: readonly string[];
}

/**
 * Writes a risk into the workspace's register.
 *
 * @throws VaultError `invalid_request` for an owner who is no member, or a finding that is not there.
 */
export async function recordRisk(
  parts: IdempotencyParts & { readonly random: Random },
  context: RequestContext,
  input: NewRisk,
): Promise<Risk> {
  const { id: by, workspaceId } = context.principal;
  authorize(context.principal, 'finding:manage');
  const request = { route: 'POST /risks', action: 'risk.recorded', entityType: 'risk', input } as const;
  return once(parts, context, request, {
    replay: (id) => findRisk(parts.store, context, 'finding:manage', id),
    perform: async (record) => {
      await demandMember(parts.store, workspaceId, input.owner);
      await demandFindings(parts.store, workspaceId, input.findings);
      const now = timestamp(parts.clock.now());
      const { owner, reviewDate, findings, ...content } = input;
      const made = create(riskKind, {
        workspaceId,
        id: newId('rsk', parts.random),
        ...content,
        ...(owner === undefined ? {} : { owner }),
        ...(reviewDate === undefined ? {} : { reviewDate }),
        findings: [...findings],
        state: 'open',
        createdAt: now,
        createdBy: by,
        updatedAt: now,
        updatedBy: by,
      });
      const { id, likelihood, impact, treatment } = made.entity;
      await parts.trail.commit(originOf(context), [
        riskEvent('risk.recorded', id, {
          detail: { likelihood: String(likelihood), impact: String(impact), treatment },
          changes: [made, ...record(id)],
        }),
      ]);
      return made.entity;
    },
  });
}
