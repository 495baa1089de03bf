import type { Actor, ActorType, Result } from '../audit/event.ts';
import { eventId } from '../audit/event.ts';
import type { ReadableRow } from '../audit/merged-rows.ts';
import type { AuditRow } from '../audit/row.ts';
import type { Locations } from './locations.ts';
import type { Location, Observation } from './observation.ts';

const OBSERVED: ReadonlySet<string> = new Set<ActorType>(['api_key', 'user', 'anonymous']);
const STRANGER: Actor = { type: 'anonymous', id: '-' };
const COUNTRY = /^[A-Z]{2}$/;

/**
 * An audit row as the detectors see it; `undefined` for what they do not look at: what the vault's own jobs do, and
 * alerts, which would be about themselves.
 */
export function observeRow({ stored, content }: ReadableRow, locations: Locations): Observation | undefined {
  const { action, result, entity, ip, detail, ts } = content;
  const actor = observedActor(content);
  if (actor === undefined || !isResult(result) || action.startsWith('alert.')) return undefined;
  const location = locationOf(ip, detail['country'], locations);
  return {
    id: eventId(stored),
    at: Date.parse(ts),
    actor,
    action,
    result,
    entity,
    ip,
    detail,
    ...(location === undefined ? {} : { location }),
  };
}

/** The edge tells no more than the country, and only where there is an edge. */
function locationOf(ip: string, country: string | undefined, locations: Locations): Location | undefined {
  const known = locations.of(ip);
  if (known !== undefined) return known;
  return country !== undefined && COUNTRY.test(country) ? { country } : undefined;
}

/** Repeated failures of strangers are counted, and recorded by a job of the vault in their place. */
function observedActor({ actor, action }: AuditRow): Actor | undefined {
  if (isActor(actor)) return actor;
  return action === 'authentication.failed' ? STRANGER : undefined;
}

function isActor(actor: { readonly type: string; readonly id: string }): actor is Actor {
  return OBSERVED.has(actor.type);
}

function isResult(result: string): result is Result {
  return result === 'success' || result === 'failure' || result === 'denied';
}
