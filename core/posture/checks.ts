import type { PostureCheck } from './check.ts';
import { alertsUnheard } from './checks/alerts-unheard.ts';
import { criticalAlertsOpen } from './checks/critical-alerts-open.ts';
import { detectionOff } from './checks/detection-off.ts';
import { dormantKeys } from './checks/dormant-keys.ts';
import { keysWithoutExpiry } from './checks/keys-without-expiry.ts';
import { mfaNotRequired } from './checks/mfa-not-required.ts';
import { ownerKeys } from './checks/owner-keys.ts';
import { ownersWithoutMfa } from './checks/owners-without-mfa.ts';
import { secretsUnchanged } from './checks/secrets-unchanged.ts';
import { singleOwner } from './checks/single-owner.ts';

/** What is checked in every workspace, every day. */
export const POSTURE_CHECKS: readonly PostureCheck[] = [
  criticalAlertsOpen,
  ownersWithoutMfa,
  ownerKeys,
  alertsUnheard,
  mfaNotRequired,
  keysWithoutExpiry,
  dormantKeys,
  singleOwner,
  detectionOff,
  secretsUnchanged,
];
