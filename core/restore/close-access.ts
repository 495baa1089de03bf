import { type ApiKey, apiKeyKind } from '../identity/api-key.ts';
import { type Mfa, mfaKind } from '../identity/mfa.ts';
import { type Session, sessionKind } from '../identity/session.ts';
import { PASSWORD_HISTORY, type User, userKind } from '../identity/user.ts';
import type { Entity } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { type Invitation, invitationKind, membershipKind } from '../members/membership.ts';
import { type Webhook, webhookKind } from '../siem/webhook.ts';
import type { Patch } from './decision.ts';
import { membershipAsTold } from './membership-as-told.ts';
import type { ToldChange } from './newest-changes.ts';

export interface ClosingParts {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly dummyHash: string;
  /** A fresh `Membership.sessionGroup`. */
  readonly newSessionGroup: () => string;
}

/** How an entity is closed: changed so that it opens nothing, or removed; with rows that tell enough, as they say. */
export type Closing =
  | { readonly outcome: 'closed' | 'as_recorded'; readonly patch: Patch }
  | { readonly outcome: 'removed' };

/**
 * How to close what decides access and does not stand as its rows say.
 *
 * @param since what rows say of it since it was as it is stored, oldest first; undefined where nobody knows.
 */
export function closingOf(
  parts: ClosingParts,
  entity: Entity,
  since: readonly ToldChange[] | undefined,
): Closing {
  const at = timestamp(parts.now);
  switch (entity.kind) {
    case apiKeyKind.name:
      return { outcome: 'closed', patch: { revokedAt: (entity as ApiKey).revokedAt ?? at } };
    case sessionKind.name:
      return { outcome: 'closed', patch: { endedAt: (entity as Session).endedAt ?? at } };
    case invitationKind.name: {
      const { acceptedAt, revokedAt } = entity as Invitation;
      const isOpen = acceptedAt === undefined && revokedAt === undefined;
      return { outcome: 'closed', patch: isOpen ? { revokedAt: at } : {} };
    }
    case userKind.name:
      return closedUser(parts, entity as User, since);
    case mfaKind.name:
      return closedFactor(parts, entity as Mfa, since);
    case membershipKind.name: {
      const told = since && membershipAsTold(since);
      if (told === undefined) return { outcome: 'removed' };
      const sessions = { sessionGroup: parts.newSessionGroup(), signedOutAt: at };
      return { outcome: 'as_recorded', patch: { ...told, ...sessions } };
    }
    case webhookKind.name: {
      const { state } = entity as Webhook;
      return { outcome: 'closed', patch: { state: state === 'active' ? 'paused' : state } };
    }
    default:
      return { outcome: 'removed' };
  }
}

/** Rows after which the password is the one that it was, */
const PASSWORD_STAYS: ReadonlySet<string> = new Set([
  'user.joined_workspace',
  'user.left_workspace',
  'user.password_rehashed',
  'session.all_revoked',
  'user.mfa_enabled',
  'user.mfa_disabled',
]);
/** and those after which sessions go on. */
const SESSIONS_STAY: ReadonlySet<string> = new Set([
  'user.joined_workspace',
  'user.left_workspace',
  'user.password_rehashed',
]);

/**
 * Ends all sessions and links of a person, unless the rows say that they go on, and makes the password one that nobody
 * has, unless the rows say that it is the same: a link by mail then sets a new one.
 */
function closedUser(
  { dummyHash }: ClosingParts,
  user: User,
  since: readonly ToldChange[] | undefined,
): Closing {
  const all = (actions: ReadonlySet<string>) => since?.every(({ action }) => actions.has(action)) === true;
  const joined = (since ?? []).flatMap(({ action, detail: { workspaceId } }) =>
    action === 'user.joined_workspace' && workspaceId !== undefined ? [workspaceId] : [],
  );
  // It may name more than there are: only a membership lets anybody in.
  const workspaceIds = [...new Set([...user.workspaceIds, ...joined])];
  if (all(SESSIONS_STAY)) return { outcome: 'as_recorded', patch: { workspaceIds } };
  // Each change that was lost moved the epoch on by one, at most: this is behind all of them.
  const patch: Patch = { workspaceIds, epoch: user.epoch + (since?.length ?? 1) + 1 };
  if (all(PASSWORD_STAYS)) return { outcome: 'as_recorded', patch };
  const passwordHistory = [dummyHash, ...user.passwordHistory].slice(0, PASSWORD_HISTORY);
  return { outcome: 'closed', patch: { ...patch, passwordHash: dummyHash, passwordHistory } };
}

/** No code of any time is accepted after this step. */
export const LOCKED_STEP = Number.MAX_SAFE_INTEGER;
/** RFC 6238: a step of TOTP has 30 seconds. */
const STEP_MS = 30_000;
/** Rows after which the app on the phone is the same, */
const APP_STAYS: ReadonlySet<string> = new Set([
  'encryption_key.versions_rewrapped',
  'user.totp_used',
  'user.backup_code_used',
  'user.backup_codes_replaced',
]);
/** and those after which a code on paper may be another one, or used. */
const PAPER_STAYS: ReadonlySet<string> = new Set(['encryption_key.versions_rewrapped', 'user.totp_used']);
/** Rows after which it is not confirmed yet. */
export const STILL_PENDING: ReadonlySet<string> = new Set([
  'encryption_key.versions_rewrapped',
  'user.mfa_enrollment_started',
]);

/**
 * A second factor is never taken away, since then the password alone would do. What may have been used is used up. One
 * that was exchanged since is locked: nobody has its new secret, and the old one is not good any more.
 */
function closedFactor({ now }: ClosingParts, mfa: Mfa, since: readonly ToldChange[] | undefined): Closing {
  const isPending = mfa.confirmedAt === undefined;
  const all = (actions: ReadonlySet<string>) => since?.every(({ action }) => actions.has(action)) === true;
  if (isPending && all(STILL_PENDING)) return { outcome: 'removed' };
  const at = timestamp(now);
  const backupCodes = mfa.backupCodes.map(({ hash, usedAt = at }) => ({ hash, usedAt }));
  if (isPending || !all(APP_STAYS)) {
    const confirmedAt = mfa.confirmedAt ?? at;
    return { outcome: 'closed', patch: { confirmedAt, lastStep: LOCKED_STEP, backupCodes } };
  }
  const lastStep = Math.max(mfa.lastStep, Math.ceil(now / STEP_MS));
  const patch = all(PAPER_STAYS) ? { lastStep } : { lastStep, backupCodes };
  return { outcome: 'as_recorded', patch };
}
