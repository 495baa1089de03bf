import type { Alert } from '../detection/alert.ts';
import { DORMANT_DAYS } from '../posture/key-use.ts';
import { isoWeek } from './iso-week.ts';
import type { AccessFindings } from './look-at-access.ts';

/**
 * The alert that asks for a review of who has access, or nothing when there is nothing to look at. It has a week for its
 * occurrence, so that it is told once a week; once more when owners without a second factor make it worse.
 */
export function reviewDue(workspaceId: string, found: AccessFindings, now: number): Alert | undefined {
  const { dormantKeys, keysWithoutExpiry, dormantMembers, ownersWithoutMfa } = found;
  const faults = [
    told(dormantKeys.count, 'key', 'keys', `not used for ${DORMANT_DAYS} days`),
    told(dormantMembers.count, 'member', 'members', `not seen for ${DORMANT_DAYS} days`),
    told(keysWithoutExpiry.count, 'key', 'keys', 'without expiry'),
    told(ownersWithoutMfa.count, 'owner', 'owners', 'without a second factor'),
  ].flat();
  if (faults.length === 0) return undefined;
  const tier = ownersWithoutMfa.count > 0 ? 'warning' : 'info';
  const keys = new Set([...dormantKeys.first, ...keysWithoutExpiry.first]);
  return {
    tier,
    kind: 'access_review_due',
    workspaceId,
    subject: 'access to the workspace',
    seen: `${faults.join(', ')}.`,
    usual: 'Every key and every member is used, keys expire, and owners have a second factor.',
    occurrence: `${isoWeek(now)} ${tier}`,
    detail: {
      dormantKeys: String(dormantKeys.count),
      dormantMembers: String(dormantMembers.count),
      keysWithoutExpiry: String(keysWithoutExpiry.count),
      ownersWithoutMfa: String(ownersWithoutMfa.count),
      ...named('keyIds', [...keys]),
      ...named('memberIds', dormantMembers.first),
      ...named('ownerIds', ownersWithoutMfa.first),
    },
  };
}

function told(count: number, one: string, many: string, fault: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many} ${fault}`];
}

function named(name: string, ids: readonly string[]): { readonly [name: string]: string } {
  return ids.length === 0 ? {} : { [name]: ids.join(' ') };
}
