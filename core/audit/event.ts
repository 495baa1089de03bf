import type { Change } from '../kernel/entity.ts';

/** What can happen, as the audit trail names it: the subject, a dot, the past participle. */
export type Action =
  | 'workspace.created'
  | 'workspace.registered'
  | 'workspace.read'
  | 'workspace.updated'
  | 'workspace.deleted'
  | 'workspace.plan_assigned'
  | 'plan.read'
  | 'encryption_key.read'
  | 'encryption_key.proof_started'
  | 'encryption_key.changed'
  | 'encryption_key.migration_started'
  | 'encryption_key.versions_rewrapped'
  | 'encryption_key.migration_blocked'
  | 'encryption_key.migration_completed'
  | 'encryption_key.previous_retired'
  | 'deployment_key.changed'
  | 'deployment_key.migration_completed'
  | 'secrets_sync.read'
  | 'secrets_sync.updated'
  | 'secrets_sync.deleted'
  | 'secrets_sync.failed'
  | 'secret.synced'
  | 'secret.sync_removed'
  | 'evidence_schedule.read'
  | 'evidence_schedule.updated'
  | 'evidence_schedule.deleted'
  | 'evidence_schedule.exported'
  | 'member.listed'
  | 'member.invited'
  | 'member.joined'
  | 'member.role_changed'
  | 'member.signed_out'
  | 'member.removed'
  | 'invitation.listed'
  | 'invitation.revoked'
  | 'owner.recovered'
  | 'lane.opened'
  | 'authentication.failed'
  | 'authentication.succeeded'
  | 'authentication.mfa_required'
  | 'authentication.mfa_attempted'
  | 'authentication.stepped_up'
  | 'session.read'
  | 'session.listed'
  | 'session.refreshed'
  | 'session.switched'
  | 'session.ended'
  | 'session.all_revoked'
  | 'session.reuse_detected'
  | 'user.created'
  | 'user.joined_workspace'
  | 'user.left_workspace'
  | 'user.password_changed'
  | 'user.password_rehashed'
  | 'user.password_reset_requested'
  | 'user.password_reset'
  | 'user.breach_check_skipped'
  | 'user.mfa_enrollment_started'
  | 'user.mfa_enabled'
  | 'user.mfa_disabled'
  | 'user.totp_used'
  | 'user.backup_code_used'
  | 'user.backup_codes_replaced'
  | 'user.recovered'
  | 'oauth.authorized'
  | 'oauth.denied'
  | 'oauth.code_reused'
  | 'oauth.token_revoked'
  | 'namespace.created'
  | 'namespace.closed'
  | 'namespace.reopened'
  | 'namespace.deleted'
  | 'namespace.listed'
  | 'secret.created'
  | 'secret.read'
  | 'secret.listed'
  | 'secret.exported'
  | 'secret.versions_listed'
  | 'secret.updated'
  | 'secret.value_updated'
  | 'secret.revealed'
  | 'secret.bulk_revealed'
  | 'secret.rollback_requested'
  | 'secret.rolled_back'
  | 'secret.deleted'
  | 'secret.restored'
  | 'secret.purge_started'
  | 'secret.purged'
  | 'secret.imported'
  | 'api_key.created'
  | 'api_key.listed'
  | 'api_key.rotated'
  | 'api_key.revoked'
  | 'audit.listed'
  | 'audit.exported'
  | 'audit.verified'
  | 'audit.verification_started'
  | 'audit.verification_read'
  | 'audit.checkpoint_read'
  | 'audit.proof_read'
  | 'audit.evidence_exported'
  | 'audit.floor_raised'
  | 'audit.restored'
  | 'alert.raised'
  | 'alert.listed'
  | 'alert.read'
  | 'alert.acknowledged'
  | 'alert.closed'
  | 'detection.read'
  | 'detection.updated'
  | 'finding.opened'
  | 'finding.listed'
  | 'finding.read'
  | 'finding.updated'
  | 'finding.closed'
  | 'risk.recorded'
  | 'risk.listed'
  | 'risk.read'
  | 'risk.updated'
  | 'posture.recorded'
  | 'posture.read'
  | 'access.reviewed'
  | 'backup.started'
  | 'backup.checked'
  | 'restore.completed'
  | 'entity.reconciled'
  | 'secret.sampled'
  | 'key.decrypts_reconciled'
  | 'key.decrypt_retried'
  | 'probe.completed'
  | 'certificate.seen'
  | 'api_key.purged'
  | 'workspace.purge_started'
  | 'workspace.purged'
  | 'user.purged'
  | 'webhook.created'
  | 'webhook.listed'
  | 'webhook.read'
  | 'webhook.updated'
  | 'webhook.deleted'
  | 'webhook.secret_rotated'
  | 'webhook.tested'
  | 'webhook.parked'
  | 'webhook.replayed'
  | 'webhook.backfill_started'
  | 'webhook.deliveries_listed';

export type Result = 'success' | 'failure' | 'denied';

export type ActorType = 'api_key' | 'user' | 'system' | 'anonymous';

export interface Actor {
  readonly type: ActorType;
  readonly id: string;
}

/** Whose doing an event is, and from where: the same for all events of one request. */
export interface Origin {
  readonly workspaceId: string;
  /** {@link PRINCIPAL_LANE} or {@link STRANGER_LANE}. */
  readonly lane: number;
  readonly actor: Actor;
  /** The client's address as the edge saw it; `-` for the vault's own jobs. */
  readonly ip: string;
  readonly userAgent: string;
  /** Where that is by the edge, ISO 3166-1 alpha-2; absent without an edge, and where it does not know. */
  readonly country?: string | undefined;
}

/** The lane of what a workspace's principals do. */
export const PRINCIPAL_LANE = 0;
/** The lane of what unauthenticated callers cause, so that strangers cannot crowd out a tenant's own events. */
export const STRANGER_LANE = 1;

/** One thing that happened, and the changes that it explains. Values, tokens and request bodies never go in here. */
export interface AuditEvent {
  readonly action: Action;
  readonly entity: { readonly type: string; readonly id: string };
  readonly result: Result;
  /** Bounded facts: at most 16 members, each value at most 512 characters. */
  readonly detail?: { readonly [key: string]: string };
  readonly changes?: readonly Change[];
}

/** Where an event came to stand. Its public id is `<lane>-<seq>`. */
export interface RowPosition {
  readonly lane: number;
  readonly seq: number;
}

export function eventId(position: RowPosition): string {
  return `${position.lane}-${position.seq}`;
}
