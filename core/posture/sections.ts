import { type AlertRecord, alertList, alertRecordKind } from '../alerts/alert-record.ts';
import { type Finding, findingKind, findingList, isOverdue } from '../findings/finding.ts';
import { type ApiKey, apiKeyKind, apiKeyList } from '../identity/api-key.ts';
import type { Bookkeeping } from '../identity/bookkeeping.ts';
import { mfaKind } from '../identity/mfa.ts';
import type { Entity, Kind } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { ListQuery, Store } from '../kernel/store.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { type Membership, memberList, membershipKind } from '../members/membership.ts';
import { namespaceKind, namespaceList } from '../namespaces/namespace.ts';
import { deletedSecretList, type Secret, secretKind, secretList } from '../secrets/secret.ts';
import { ALL_WEBHOOKS, type Webhook, webhookKind, webhookPrefix } from '../siem/webhook.ts';
import { addTo, type PostureFacts } from './facts.ts';
import { keysInUse } from './key-use.ts';

/** Where and as of when is counted, and the counts so far, which counting adds to. */
export interface Counting {
  readonly store: Store;
  readonly bookkeeping: Pick<Bookkeeping, 'lastUsed'>;
  readonly workspaceId: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly facts: PostureFacts;
}

/** Counts one page of a list from a place on; gives the place of the next, if there is one. */
export type Section = (at: Counting, after: string | undefined) => Promise<string | undefined>;

/** Entries read at once: as many as one read of marks takes. */
const PAGE = 100;

function section<E extends Entity>(
  kind: Kind<E>,
  list: (workspaceId: string) => Pick<ListQuery, 'list' | 'prefix'>,
  add: (at: Counting, entries: readonly E[]) => Promise<void> | void,
): Section {
  return async (at, after) => {
    const query = { ...list(at.workspaceId), limit: PAGE, ...(after === undefined ? {} : { after }) };
    const page = await at.store.list(kind, query);
    await add(at, page.items);
    return page.next;
  };
}

/** All that a snapshot counts, in the order in which it does. */
export const SECTIONS: readonly Section[] = [
  section(secretKind, (id) => ({ list: secretList(id) }), addSecrets),
  section(
    secretKind,
    (id) => ({ list: deletedSecretList(id) }),
    ({ facts }, secrets) => {
      facts.secrets.deleted += secrets.length;
    },
  ),
  section(
    namespaceKind,
    (id) => ({ list: namespaceList(id) }),
    ({ facts }, namespaces) => {
      facts.namespaces += namespaces.length;
    },
  ),
  section(apiKeyKind, (id) => ({ list: apiKeyList(id) }), addKeys),
  section(membershipKind, (id) => ({ list: memberList(id) }), addMembers),
  section(webhookKind, (id) => ({ list: ALL_WEBHOOKS, prefix: webhookPrefix(id) }), addWebhooks),
  section(alertRecordKind, (id) => ({ list: alertList(id) }), addAlerts),
  section(findingKind, (id) => ({ list: findingList(id) }), addFindings),
];

const YEAR_MS = 365 * DAY_MS;

function addSecrets({ facts: { secrets }, now }: Counting, entries: readonly Secret[]): void {
  for (const { isCUI, decoy, valueUpdatedAt } of entries) {
    secrets.active += 1;
    if (isCUI) secrets.cui += 1;
    if (decoy !== true && now - Date.parse(valueUpdatedAt) >= YEAR_MS) secrets.unchangedForYear += 1;
  }
}

async function addKeys(at: Counting, entries: readonly ApiKey[]): Promise<void> {
  const { keys } = at.facts;
  const inUse = await keysInUse(at.bookkeeping, at.workspaceId, entries, at.now);
  for (const { honeypot, revokedAt, expiresAt } of entries) {
    if (honeypot) keys.honeypots += 1;
    else if (revokedAt !== undefined) keys.revoked += 1;
    else if (expiresAt !== undefined && Date.parse(expiresAt) <= at.now) keys.expired += 1;
  }
  keys.good += inUse.length;
  for (const { key, isDormant, hasExpiry } of inUse) {
    if (isDormant) addTo(keys.dormant, key.id);
    if (!hasExpiry) addTo(keys.withoutExpiry, key.id);
    if (key.role === 'owner') addTo(keys.owners, key.id);
  }
}

async function addMembers({ store, facts }: Counting, entries: readonly Membership[]): Promise<void> {
  const { members } = facts;
  const withoutMfa = await withoutSecondFactor(store, entries);
  members.withoutMfa += withoutMfa.length;
  for (const { role } of entries) members[role] += 1;
  for (const { id, role } of withoutMfa) if (role === 'owner') addTo(members.ownersWithoutMfa, id);
}

/** Those of at most 100 members who have no second factor that counts. */
export async function withoutSecondFactor(
  store: Store,
  members: readonly Membership[],
): Promise<readonly Membership[]> {
  if (members.length === 0) return [];
  const ids = members.map(({ id }) => id);
  const factors = await store.getMany(mfaKind, PLATFORM_WORKSPACE, ids);
  const confirmed = new Set(
    factors.filter(({ confirmedAt }) => confirmedAt !== undefined).map(({ id }) => id),
  );
  return members.filter(({ id }) => !confirmed.has(id));
}

function addWebhooks({ facts: { webhooks } }: Counting, entries: readonly Webhook[]): void {
  for (const { state } of entries) webhooks[state] += 1;
}

const OPEN = { info: 'openInfo', warning: 'openWarning', critical: 'openCritical' } as const;

function addAlerts({ facts: { alerts }, now }: Counting, entries: readonly AlertRecord[]): void {
  for (const { id, state, tier, openedAt } of entries) {
    if (state === 'acknowledged') alerts.acknowledged += 1;
    if (state !== 'open') continue;
    alerts[OPEN[tier]] += 1;
    if (tier === 'critical' && now - Date.parse(openedAt) > DAY_MS) addTo(alerts.criticalForDay, id);
  }
}

const COUNTED = { open: 'open', in_progress: 'inProgress', accepted: 'accepted', closed: 'closed' } as const;

function addFindings({ facts: { findings }, now }: Counting, entries: readonly Finding[]): void {
  for (const finding of entries) {
    findings[COUNTED[finding.state]] += 1;
    if (isOverdue(finding, now)) findings.overdue += 1;
  }
}
