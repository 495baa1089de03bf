import { RefusedChanges } from '../audit/append.ts';
import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditRow } from '../audit/row.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Decision, Discord, Outcome } from './decision.ts';
import { RESTORER } from './restore-parts.ts';
import { RestoreRefused } from './restore-refused.ts';

/** Decisions in one commit: each is a row and at most two changes. */
const SLICE = 30;

/** What was done, and about what. */
export interface Reconciled {
  readonly workspaceId: string;
  readonly kind: string;
  readonly id: string;
  readonly discord: Discord;
  readonly outcome: Outcome;
}

export interface CommitParts {
  readonly trail: AuditTrail;
  /** Told of each once it is done. */
  readonly onReconciled: (reconciled: Reconciled) => void;
}

/**
 * Carries out decisions, each with an event `entity.reconciled`, in the lane that has the entity's other rows: a verifier
 * follows an entity along one lane.
 *
 * @throws RestoreRefused `disturbed` when an entity changed since it was looked at.
 * @throws VaultError `unavailable`, after which some may have been carried out: look again at all.
 */
export async function commitDecisions(
  { trail, onReconciled }: CommitParts,
  decisions: readonly Decision[],
): Promise<void> {
  const byLane = Map.groupBy(decisions, ({ workspaceId, lane }) => `${workspaceId}#${lane}`);
  for (const group of byLane.values()) {
    for (let start = 0; start < group.length; start += SLICE) {
      const slice = group.slice(start, start + SLICE);
      const [first] = slice;
      if (first === undefined) continue;
      const origin = { ...systemOrigin(first.workspaceId, RESTORER), lane: first.lane };
      try {
        await trail.commit(origin, slice.map(eventOf));
      } catch (error) {
        if (!(error instanceof RefusedChanges)) throw error;
        throw new RestoreRefused(
          'disturbed',
          `Something else changes the tables: ${error.ids.join(', ')} changed meanwhile. Hold all functions, and run the restore again with --resume.`,
        );
      }
      for (const decision of slice) onReconciled(reconciledOf(decision));
    }
  }
}

function eventOf(decision: Decision): AuditEvent {
  const { discord, outcome, stored, recorded, detail, changes } = decision;
  const { kind, id } = changes[0].entity;
  return {
    action: 'entity.reconciled',
    entity: { type: typeOf(kind), id },
    result: 'success',
    detail: {
      found: discord,
      outcome,
      ...(stored === undefined ? {} : { storedRevision: String(stored) }),
      ...(recorded === undefined ? {} : { recordedRevision: String(recorded) }),
      ...detail,
    },
    changes,
  };
}

/** The decision that a row tells of. */
export function decisionOf({ ws, action, detail, changes }: AuditRow): Reconciled | undefined {
  const [change] = changes;
  if (action !== 'entity.reconciled' || change === undefined) return undefined;
  const { found, outcome } = detail;
  const { kind, id } = change;
  return { workspaceId: ws, kind, id, discord: found as Discord, outcome: outcome as Outcome };
}

/** Events name the types of things in snake case. */
function typeOf(kind: string): string {
  return kind.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function reconciledOf({ workspaceId, discord, outcome, changes }: Decision): Reconciled {
  const { kind, id } = changes[0].entity;
  return { workspaceId, kind, id, discord, outcome };
}
