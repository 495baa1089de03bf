import type { AuditEvent } from '../../core/audit/event.ts';
import { STRANGER_LANE } from '../../core/audit/event.ts';
import { FIRST_EXTRA_LANE, laneSetKind } from '../../core/audit/lane-set.ts';
import { laneOpened, systemOrigin } from '../../core/audit/lane-start.ts';
import { idempotencyKind } from '../../core/idempotency/once.ts';
import { apiKeyKind } from '../../core/identity/api-key.ts';
import { mfaKind } from '../../core/identity/mfa.ts';
import { endedLoginKind, refreshTokenKind, sessionKind } from '../../core/identity/session.ts';
import { sweepMarkKind } from '../../core/identity/sweep-tallies.ts';
import { userKind } from '../../core/identity/user.ts';
import { type Change, create, type Entity, type Kind, remove, update } from '../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { DAY_MS, timestamp } from '../../core/kernel/timestamps.ts';
import { invitationKind, membershipKind } from '../../core/members/membership.ts';
import { ownersChange } from '../../core/members/owners.ts';
import { createSecret } from '../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../core/secrets/delete-secret.ts';
import { purgeSecret } from '../../core/secrets/purge-secret.ts';
import { putValue } from '../../core/secrets/put-value.ts';
import { restoreSecret } from '../../core/secrets/restore-secret.ts';
import { type Secret, secretKind } from '../../core/secrets/secret.ts';
import { workspaceKind } from '../../core/workspaces/workspace.ts';
import { addKey, addWorkspace } from '../support/api-world.ts';
import { callerWith, type MemoryVault } from '../support/memory-vault.ts';
import type { SeededRandom } from '../support/random.ts';

const ROLES = ['viewer', 'operator', 'admin', 'owner'] as const;

/** Makes random changes of every kind that decides access, and of secrets, each with the row that the vault would write. */
export class Writers {
  readonly #vault: MemoryVault;
  readonly #random: SeededRandom;
  readonly #workspaces: string[];
  /** How many extra lanes each workspace has. */
  readonly #lanes = new Map<string, number>();
  #count = 0;

  constructor(vault: MemoryVault, random: SeededRandom, workspaceId: string) {
    this.#vault = vault;
    this.#random = random;
    this.#workspaces = [workspaceId];
  }

  /** One change; some find nothing to change, and then there is none. */
  async act(): Promise<void> {
    this.#count += 1;
    this.#vault.clock.advance(1 + this.#random.below(60_000));
    const acts = [
      this.#addSecret,
      this.#addSecret,
      this.#setValue,
      this.#setValue,
      this.#deleteOrRestoreSecret,
      this.#purge,
      this.#addKey,
      this.#revokeKey,
      this.#join,
      this.#changeRole,
      this.#leave,
      this.#signOut,
      this.#changePassword,
      this.#openSession,
      this.#endSession,
      this.#refresh,
      this.#enroll,
      this.#confirmFactor,
      this.#useFactor,
      this.#disableFactor,
      this.#invite,
      this.#closeInvitation,
      this.#endLogin,
      this.#endLogin,
      this.#openSession,
      this.#setPolicy,
      this.#remember,
      this.#sweep,
      this.#addWorkspace,
      this.#openLanes,
      this.#readElsewhere,
    ];
    await this.#pick(acts)?.call(this);
  }

  readonly #addSecret = async () => {
    const input = { namespace: 'prod', name: `n${this.#count}`, value: this.#id('value') };
    await createSecret(this.#vault, this.#owner(), input);
  };

  readonly #setValue = async () => {
    const secret = this.#any(secretKind, ({ deletedAt }) => deletedAt === undefined);
    if (secret !== undefined)
      await putValue(this.#vault, this.#owner(secret.workspaceId), secret.id, this.#id('value'));
  };

  readonly #deleteOrRestoreSecret = async () => {
    const secret = this.#any<Secret>(secretKind);
    if (secret === undefined) return;
    const work = secret.deletedAt === undefined ? deleteSecret : restoreSecret;
    await work(this.#vault, this.#owner(secret.workspaceId), secret.id);
  };

  readonly #purge = async () => {
    const secret = this.#any(secretKind, ({ deletedAt }) => deletedAt !== undefined);
    if (secret !== undefined) await purgeSecret(this.#vault, this.#owner(secret.workspaceId), secret.id);
  };

  readonly #addKey = async () => {
    await addKey(this.#vault, this.#workspace(), { role: this.#pick(ROLES) ?? 'viewer' });
  };

  readonly #revokeKey = async () => {
    const key = this.#any(apiKeyKind, ({ revokedAt }) => revokedAt === undefined);
    if (key === undefined) return;
    await this.#commit(key.workspaceId, 'api_key.revoked', [
      update(apiKeyKind, key, { revokedAt: this.#now() }),
    ]);
  };

  readonly #join = async () => {
    const workspaceId = this.#workspace();
    const workspace = await this.#vault.store.get(workspaceKind, workspaceId, workspaceId);
    const id = this.#id('user');
    if (workspace === undefined) return;
    await this.#commit(PLATFORM_WORKSPACE, 'user.created', [
      create(userKind, {
        workspaceId: PLATFORM_WORKSPACE,
        id,
        email: `${id}@example.com`,
        createdAt: this.#now(),
        passwordHash: this.#id('hash'),
        passwordChangedAt: this.#now(),
        passwordProfiles: ['composition'],
        passwordHistory: [],
        epoch: 1,
        workspaceIds: [workspaceId],
      }),
    ]);
    const role = this.#pick(ROLES) ?? 'viewer';
    const membership = create(membershipKind, {
      workspaceId,
      id,
      email: `${id}@example.com`,
      role,
      joinedAt: this.#now(),
      invitedBy: 'setup',
      sessionGroup: this.#id('group'),
    });
    await this.#commit(workspaceId, 'member.joined', [membership, ...ownersChange(workspace, id, role)], {
      role,
    });
  };

  readonly #changeRole = async () => {
    const membership = this.#any(membershipKind);
    const workspace = membership && this.#one(workspaceKind, membership.workspaceId);
    const role = this.#pick(ROLES) ?? 'viewer';
    if (membership === undefined || workspace === undefined || membership.role === role) return;
    const isLast = workspace.owners.length === 1 && workspace.owners.includes(membership.id);
    if (isLast) return;
    await this.#commit(
      membership.workspaceId,
      'member.role_changed',
      [update(membershipKind, membership, { role }), ...ownersChange(workspace, membership.id, role)],
      { from: membership.role, to: role },
    );
  };

  readonly #leave = async () => {
    const membership = this.#any(membershipKind, ({ role }) => role !== 'owner');
    if (membership === undefined) return;
    await this.#commit(membership.workspaceId, 'member.removed', [remove(membershipKind, membership)]);
    const user = this.#one(userKind, membership.id);
    const workspaceIds = user?.workspaceIds.filter((id) => id !== membership.workspaceId);
    if (user === undefined) return;
    await this.#commit(PLATFORM_WORKSPACE, 'user.left_workspace', [update(userKind, user, { workspaceIds })]);
  };

  readonly #signOut = async () => {
    const membership = this.#any(membershipKind);
    if (membership === undefined) return;
    const change = { sessionGroup: this.#id('group'), signedOutAt: this.#now() };
    await this.#commit(membership.workspaceId, 'member.signed_out', [
      update(membershipKind, membership, change),
    ]);
  };

  readonly #changePassword = async () => {
    const user = this.#any(userKind);
    if (user === undefined) return;
    const change = { passwordHash: this.#id('hash'), epoch: user.epoch + 1 };
    await this.#commit(PLATFORM_WORKSPACE, 'user.password_changed', [update(userKind, user, change)]);
  };

  readonly #openSession = async () => {
    const membership = this.#any(membershipKind);
    const user = membership && this.#one(userKind, membership.id);
    if (membership === undefined || user === undefined) return;
    const id = this.#id('ses');
    const refreshTokenId = this.#id('refresh');
    const expiresAt = this.#vault.clock.now() + 30 * DAY_MS;
    const common = {
      workspaceId: membership.workspaceId,
      userId: user.id,
      loginId: id,
      familyId: id,
      expiresAt,
    };
    await this.#commit(membership.workspaceId, 'authentication.succeeded', [
      create(sessionKind, {
        ...common,
        id,
        epoch: user.epoch,
        client: 'browser',
        loginAt: this.#now(),
        sessionGroup: membership.sessionGroup,
        generation: 1,
        refreshTokenId,
        createdAt: this.#now(),
        mfa: false,
        demandsMfa: false,
        mustChangePassword: false,
        ip: '203.0.113.7',
        userAgent: 'test',
      }),
      create(refreshTokenKind, { ...common, id: refreshTokenId, sessionId: id }),
    ]);
  };

  readonly #endSession = async () => {
    const session = this.#any(sessionKind, ({ endedAt }) => endedAt === undefined);
    if (session === undefined) return;
    await this.#commit(session.workspaceId, 'session.ended', [
      update(sessionKind, session, { endedAt: this.#now() }),
    ]);
  };

  readonly #refresh = async () => {
    const session = this.#any(sessionKind, ({ endedAt }) => endedAt === undefined);
    const used = session && this.#one(refreshTokenKind, session.refreshTokenId);
    if (session === undefined || used === undefined) return;
    const refreshTokenId = this.#id('refresh');
    const { workspaceId, userId, loginId, familyId, expiresAt } = session;
    const next = { workspaceId, userId, loginId, familyId, expiresAt, sessionId: session.id };
    await this.#commit(workspaceId, 'session.refreshed', [
      update(sessionKind, session, { refreshTokenId }),
      update(refreshTokenKind, used, { usedAt: this.#vault.clock.now() }),
      create(refreshTokenKind, { ...next, id: refreshTokenId }),
    ]);
  };

  readonly #enroll = async () => {
    const user = this.#any(userKind);
    if (user === undefined) return;
    const known = this.#one(mfaKind, user.id);
    const content = {
      version: (known?.version ?? 0) + 1,
      format: '1' as const,
      ciphertext: this.#random.bytes(20),
      nonce: this.#random.bytes(12),
      tag: this.#random.bytes(16),
      wrappedKey: this.#random.bytes(32),
      keyArn: 'arn',
      startedAt: this.#now(),
      lastStep: 0,
      backupCodes: [{ hash: this.#id('code') }, { hash: this.#id('code') }],
    };
    if (known?.confirmedAt !== undefined) return;
    const change =
      known === undefined
        ? create(mfaKind, { workspaceId: PLATFORM_WORKSPACE, id: user.id, ...content })
        : update(mfaKind, known, content);
    await this.#commit(PLATFORM_WORKSPACE, 'user.mfa_enrollment_started', [change]);
  };

  readonly #confirmFactor = async () => {
    const mfa = this.#any(mfaKind, ({ confirmedAt }) => confirmedAt === undefined);
    const user = mfa && this.#one(userKind, mfa.id);
    if (mfa === undefined || user === undefined) return;
    await this.#commit(PLATFORM_WORKSPACE, 'user.mfa_enabled', [
      update(mfaKind, mfa, { confirmedAt: this.#now() }),
      update(userKind, user, { epoch: user.epoch + 1 }),
    ]);
  };

  readonly #useFactor = async () => {
    const mfa = this.#any(mfaKind, ({ confirmedAt }) => confirmedAt !== undefined);
    if (mfa === undefined) return;
    const lastStep = Math.floor(this.#vault.clock.now() / 30_000);
    const usedAt = this.#now();
    const [first, ...rest] = mfa.backupCodes;
    const isPaper = this.#random.below(2) === 0 && first !== undefined && first.usedAt === undefined;
    const patch = isPaper ? { backupCodes: [{ ...first, usedAt }, ...rest] } : { lastStep };
    const action = isPaper ? 'user.backup_code_used' : 'user.totp_used';
    await this.#commit(PLATFORM_WORKSPACE, action, [update(mfaKind, mfa, patch)]);
  };

  readonly #disableFactor = async () => {
    const mfa = this.#any(mfaKind, ({ confirmedAt }) => confirmedAt !== undefined);
    const user = mfa && this.#one(userKind, mfa.id);
    if (mfa === undefined || user === undefined) return;
    const next = update(userKind, user, { epoch: user.epoch + 1 });
    await this.#commit(PLATFORM_WORKSPACE, 'user.mfa_disabled', [remove(mfaKind, mfa), next]);
  };

  readonly #invite = async () => {
    const invitation = create(invitationKind, {
      workspaceId: this.#workspace(),
      id: this.#id('inv'),
      email: 'new@example.com',
      role: 'admin',
      createdAt: this.#now(),
      invitedBy: 'setup',
      expiresAt: this.#vault.clock.now() + 7 * DAY_MS,
    });
    await this.#commit(invitation.entity.workspaceId, 'member.invited', [invitation]);
  };

  readonly #closeInvitation = async () => {
    const open = this.#any(invitationKind, ({ revokedAt }) => revokedAt === undefined);
    if (open === undefined) return;
    const change = update(invitationKind, open, { revokedAt: this.#now() });
    await this.#commit(open.workspaceId, 'invitation.revoked', [change]);
  };

  readonly #endLogin = async () => {
    const session = this.#any(sessionKind);
    if (session === undefined || this.#one(endedLoginKind, session.loginId) !== undefined) return;
    const { loginId: id, expiresAt } = session;
    const ended = create(endedLoginKind, { workspaceId: PLATFORM_WORKSPACE, id, expiresAt });
    await this.#commit(PLATFORM_WORKSPACE, 'session.reuse_detected', [ended]);
  };

  readonly #setPolicy = async () => {
    const workspace = this.#any(workspaceKind);
    if (workspace === undefined) return;
    const requireMfa = !workspace.policy.requireMfa;
    const next = update(workspaceKind, workspace, { policy: { ...workspace.policy, requireMfa } });
    await this.#commit(workspace.id, 'workspace.updated', [next], {
      fields: 'requireMfa',
      requireMfa: String(requireMfa),
    });
  };

  readonly #remember = async () => {
    const record = create(idempotencyKind, {
      workspaceId: this.#workspace(),
      id: this.#id('idem'),
      inputHmac: 'h',
      hmacKeyId: '1',
      resourceId: 'sec',
      expiresAt: this.#vault.clock.now() + DAY_MS,
    });
    await this.#commit(record.entity.workspaceId, 'secret.imported', [record]);
  };

  readonly #sweep = async () => {
    const workspaceId = this.#workspace();
    const expiresAt = this.#vault.clock.now() + DAY_MS;
    const mark = create(sweepMarkKind, { workspaceId, id: String(this.#count), expiresAt });
    await this.#commit(workspaceId, 'authentication.failed', [mark], {}, STRANGER_LANE);
  };

  readonly #addWorkspace = async () => {
    if (this.#workspaces.length < 3) this.#workspaces.push(await addWorkspace(this.#vault));
  };

  /** As an instance does that loses races; see `core/audit/lane-choice.ts`. */
  readonly #openLanes = async () => {
    const workspaceId = this.#workspace();
    if (this.#lanes.has(workspaceId)) return;
    const count = 1 + this.#random.below(3);
    const set = create(laneSetKind, { workspaceId, id: workspaceId, count });
    const opened = Array.from({ length: count }, (_, index) =>
      laneOpened(workspaceId, FIRST_EXTRA_LANE + index),
    );
    await this.#vault.trail.commit(
      systemOrigin(workspaceId),
      opened.map((event, index) => (index === count - 1 ? { ...event, changes: [set] } : event)),
    );
    this.#lanes.set(workspaceId, count);
  };

  readonly #readElsewhere = async () => {
    const [workspaceId, count] = this.#pick([...this.#lanes]) ?? [];
    if (workspaceId === undefined || count === undefined) return;
    const lane = FIRST_EXTRA_LANE + this.#random.below(count);
    const entity = { type: 'secret', id: '-' };
    await this.#vault.trail.commit({ ...systemOrigin(workspaceId), lane }, [
      { action: 'secret.read', entity, result: 'success' },
      { action: 'secret.read', entity, result: 'success' },
    ]);
  };

  #commit(
    workspaceId: string,
    action: AuditEvent['action'],
    changes: readonly Change[],
    detail: AuditEvent['detail'] = {},
    lane = 0,
  ) {
    const entity = { type: 'thing', id: changes[0]?.entity.id ?? '-' };
    return this.#vault.trail.commit({ ...systemOrigin(workspaceId), lane }, [
      { action, entity, result: 'success', detail, changes },
    ]);
  }

  #any<E extends Entity>(kind: Kind<E>, where: (entity: E) => boolean = () => true): E | undefined {
    const all = [...this.#vault.tables.entities.values()].map(({ entity }) => entity);
    return this.#pick((all.filter((entity) => entity.kind === kind.name) as E[]).filter(where));
  }

  #one<E extends Entity>(kind: Kind<E>, id: string): E | undefined {
    return this.#any(kind, (entity) => entity.id === id);
  }

  #pick<T>(choices: readonly T[]): T | undefined {
    return choices[this.#random.below(choices.length)];
  }

  #workspace(): string {
    return this.#pick(this.#workspaces) ?? '';
  }

  #owner(workspaceId = this.#workspace()) {
    return callerWith({ workspaceId, role: 'owner' });
  }

  #id(prefix: string): string {
    return `${prefix}-${this.#count}-${this.#random.uint32().toString(16)}`;
  }

  #now(): string {
    return timestamp(this.#vault.clock.now());
  }
}
