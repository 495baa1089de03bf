import { alertRecordKind } from './alerts/alert-record.ts';
import { detectionSettingsKind } from './anomaly/settings.ts';
import { laneSetKind } from './audit/lane-set.ts';
import { deploymentKeyKind } from './encryption-keys/deployment-key.ts';
import { keyMigrationKind } from './encryption-keys/key-migration.ts';
import { evidenceScheduleKind } from './evidence-schedule/evidence-schedule.ts';
import { findingKind } from './findings/finding.ts';
import { riskKind } from './findings/risk.ts';
import { idempotencyKind } from './idempotency/once.ts';
import { apiKeyKind } from './identity/api-key.ts';
import { mfaChallengeKind, mfaKind } from './identity/mfa.ts';
import { passwordResetKind } from './identity/password-reset.ts';
import { endedLoginKind, refreshTokenKind, sessionKind } from './identity/session.ts';
import { sweepMarkKind } from './identity/sweep-tallies.ts';
import { userEmailKind, userKind } from './identity/user.ts';
import { anyKind, type Entity, type Kind } from './kernel/entity.ts';
import { departedUserKind } from './members/departed-user.ts';
import { invitationKind, membershipKind } from './members/membership.ts';
import { namespaceKind } from './namespaces/namespace.ts';
import { authorizationCodeKind } from './oauth/authorization-code.ts';
import { postureSnapshotKind } from './posture/snapshot.ts';
import { retentionFloorKind } from './retention/floor.ts';
import { importJobKind } from './secrets/import-secrets.ts';
import { secretKind, secretNameKind, secretVersionKind } from './secrets/secret.ts';
import { secretsSyncKind } from './secrets-sync/secrets-sync.ts';
import { webhookKind } from './siem/webhook.ts';
import { webhookSetKind } from './siem/webhook-set.ts';
import { installationKind, setupAttemptKind, usedSetupTokenKind } from './workspaces/installation.ts';
import { workspaceKind } from './workspaces/workspace.ts';

/** Every kind of entity that the vault stores, by name. */
export const allKinds: ReadonlyMap<string, Kind<Entity>> = new Map(
  [
    anyKind(workspaceKind),
    anyKind(installationKind),
    anyKind(usedSetupTokenKind),
    anyKind(setupAttemptKind),
    anyKind(apiKeyKind),
    anyKind(userKind),
    anyKind(userEmailKind),
    anyKind(mfaKind),
    anyKind(mfaChallengeKind),
    anyKind(passwordResetKind),
    anyKind(sessionKind),
    anyKind(refreshTokenKind),
    anyKind(endedLoginKind),
    anyKind(membershipKind),
    anyKind(invitationKind),
    anyKind(departedUserKind),
    anyKind(authorizationCodeKind),
    anyKind(namespaceKind),
    anyKind(secretKind),
    anyKind(secretVersionKind),
    anyKind(secretNameKind),
    anyKind(idempotencyKind),
    anyKind(importJobKind),
    anyKind(sweepMarkKind),
    anyKind(laneSetKind),
    anyKind(webhookKind),
    anyKind(webhookSetKind),
    anyKind(alertRecordKind),
    anyKind(detectionSettingsKind),
    anyKind(findingKind),
    anyKind(riskKind),
    anyKind(postureSnapshotKind),
    anyKind(retentionFloorKind),
    anyKind(keyMigrationKind),
    anyKind(evidenceScheduleKind),
    anyKind(secretsSyncKind),
    anyKind(deploymentKeyKind),
  ].map((kind) => [kind.name, kind]),
);
