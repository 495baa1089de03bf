import type { AuditRow } from '../audit/row.ts';
import { actorName } from './anomaly-states.ts';
import type { Detectors } from './detectors.ts';
import type { States } from './profiles.ts';

/** A key that was rotated and the one that takes its place, by their names (see {@link actorName}). */
export interface Succession {
  readonly from: string;
  readonly to: string;
}

/** The succession that a row tells of; nearly always none. A request that was answered again names no successor. */
export function successionOf({
  action,
  result,
  entity,
  detail,
}: Pick<AuditRow, 'action' | 'result' | 'entity' | 'detail'>): Succession | undefined {
  const successor = detail['successor'];
  if (action !== 'api_key.rotated' || result !== 'success' || successor === undefined) return undefined;
  return {
    from: actorName({ type: 'api_key', id: entity.id }),
    to: actorName({ type: 'api_key', id: successor }),
  };
}

/**
 * The successor does the same work: it begins with what is known of the key that was rotated, this hour's counts
 * included. Else whoever rotates a stolen key would have one that nothing is unusual for.
 */
export function inherit(detectors: Detectors, from: States, to: States): void {
  for (const [name, state] of from) {
    if (detectors.get(name)?.startsAnew !== true) to.set(name, structuredClone(state));
  }
}
