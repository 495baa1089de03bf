import { laneSetKind } from '../audit/lane-set.ts';
import { ENVELOPE_FORMAT } from '../crypto/envelope.ts';
import { deploymentKeyKind } from '../encryption-keys/deployment-key.ts';
import { keyMigrationKind } from '../encryption-keys/key-migration.ts';
import { fromTheBeginning } from '../encryption-keys/start-migration.ts';
import { mfaKind } from '../identity/mfa.ts';
import { ABSOLUTE_MS, endedLoginKind } from '../identity/session.ts';
import { anyKind, type Change } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { installationKind, setupAttemptKind, usedSetupTokenKind } from '../workspaces/installation.ts';
import { DEFAULT_POLICY, workspaceKind } from '../workspaces/workspace.ts';
import { LOCKED_STEP, STILL_PENDING } from './close-access.ts';
import { createAgain } from './decision.ts';
import type { NewestChange } from './newest-changes.ts';

interface Parts {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Lanes that the workspace opened beside its first two. */
  readonly extraLanes: number;
}

/**
 * What is made again though the backup lacks it, because something would stand open, or hang in the air, without it.
 *
 * @returns undefined for what is simply lost.
 */
export function recreated(parts: Parts, workspaceId: string, newest: NewestChange): Change | undefined {
  const { id, revision, ts } = newest;
  const at = timestamp(parts.now);
  switch (newest.kind) {
    case endedLoginKind.name: {
      // No session of the login lives for longer, whatever its time was.
      const expiresAt = Date.parse(ts) + ABSOLUTE_MS;
      const isOver = expiresAt <= parts.now;
      return isOver
        ? undefined
        : createAgain(anyKind(endedLoginKind), { workspaceId, id, expiresAt }, revision);
    }
    case usedSetupTokenKind.name:
      return createAgain(anyKind(usedSetupTokenKind), { workspaceId, id, usedAt: ts }, revision);
    case setupAttemptKind.name:
      // To whom the token was tied is lost: it is tied to nobody, and so good for nobody.
      return createAgain(anyKind(setupAttemptKind), { workspaceId, id, account: '-' }, revision);
    case installationKind.name:
      return createAgain(anyKind(installationKind), { workspaceId, id }, revision);
    case laneSetKind.name:
      return createAgain(anyKind(laneSetKind), { workspaceId, id, count: parts.extraLanes }, revision);
    case mfaKind.name:
      return isInForce(newest) ? lockedFactor(workspaceId, newest, at) : undefined;
    // To which key is lost: it begins anew for the one that there is, since values may lie under earlier ones again.
    case keyMigrationKind.name: {
      const { finishedAt: _, notBefore: __, ...content } = fromTheBeginning(at);
      const unknown = { keyArn: '-', reason: 'workspace' } as const;
      return createAgain(anyKind(keyMigrationKind), { workspaceId, id, ...unknown, ...content }, revision);
    }
    case deploymentKeyKind.name: {
      const unknown = { own: '-', values: '-', since: at, previous: [], state: 'settled' } as const;
      return createAgain(anyKind(deploymentKeyKind), { workspaceId, id, ...unknown }, revision);
    }
    case workspaceKind.name:
      // Deleted, so that nothing works there; its trail stays, and goes on being sealed and verified.
      return createAgain(
        anyKind(workspaceKind),
        {
          workspaceId,
          id,
          name: 'Lost in a restore',
          createdAt: at,
          policy: DEFAULT_POLICY,
          owners: [],
          deletedAt: at,
        },
        revision,
      );
    default:
      return undefined;
  }
}

/** Whether a second factor was confirmed, by what its rows say: for a lock, also rows that nobody has signed for. */
function isInForce({ history }: NewestChange): boolean {
  return history.some(({ action }) => !STILL_PENDING.has(action));
}

/** A second factor that takes no code: without one, the password alone would do. */
function lockedFactor(workspaceId: string, { id, revision }: NewestChange, confirmedAt: string): Change {
  const nothing = new Uint8Array();
  return createAgain(
    anyKind(mfaKind),
    {
      workspaceId,
      id,
      // Above that of any secret that it ever had: each came with a change.
      version: revision + 1,
      format: ENVELOPE_FORMAT,
      ciphertext: nothing,
      nonce: nothing,
      tag: nothing,
      wrappedKey: nothing,
      keyArn: '-',
      startedAt: confirmedAt,
      confirmedAt,
      lastStep: LOCKED_STEP,
      backupCodes: [],
    },
    revision,
  );
}
