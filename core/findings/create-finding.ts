import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type IdempotencyParts, once } from '../idempotency/once.ts';
import { create } from '../kernel/entity.ts';
import { newId } from '../kernel/ids.ts';
import type { Random } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { type Finding, findingKind, type Severity } from './finding.ts';
import { demandMember, findFinding, findingEvent, findingFacts } from './finding-parts.ts';

export interface NewFinding {
  readonly title: string;
  readonly description: string;
  readonly severity: Severity;
  readonly owner?: string | undefined;
  readonly dueDate?: string | undefined;
}

/**
 * Writes down something that has to be put right.
 *
 * @throws VaultError `invalid_request` for an owner who is no member.
 */
export async function createFinding(
  parts: IdempotencyParts & { readonly random: Random },
  context: RequestContext,
  input: NewFinding,
): Promise<Finding> {
  const { id: by, workspaceId } = context.principal;
  authorize(context.principal, 'finding:manage');
  const route = 'POST /findings';
  const request = { route, action: 'finding.opened', entityType: 'finding', input } as const;
  return once(parts, context, request, {
    replay: (id) => findFinding(parts.store, context, 'finding:manage', id),
    perform: async (record) => {
      await demandMember(parts.store, workspaceId, input.owner);
      const now = timestamp(parts.clock.now());
      const { owner, dueDate, ...content } = input;
      const made = create(findingKind, {
        workspaceId,
        id: newId('fnd', parts.random),
        ...content,
        ...(owner === undefined ? {} : { owner }),
        ...(dueDate === undefined ? {} : { dueDate }),
        state: 'open',
        source: 'manual',
        createdAt: now,
        createdBy: by,
        updatedAt: now,
        updatedBy: by,
      });
      const { id } = made.entity;
      await parts.trail.commit(originOf(context), [
        findingEvent('finding.opened', id, {
          detail: findingFacts(made.entity),
          changes: [made, ...record(id)],
        }),
      ]);
      return made.entity;
    },
  });
}
