import type { DevConfig } from '../dev-config.ts';
import { closeAlerts, openChannel } from './alerts.ts';
import { backUp, letBackupGoStale } from './backups.ts';
import { addViewer, change, moveIn, reveal, type Secret } from './everyday.ts';
import { rewriteHistory, takeEvidenceHome } from './evidence.ts';
import { bringOwnKey } from './own-key.ts';
import { lockout, revokedSession, secondFactor, welcome } from './people.ts';
import { exportLog, findOut, putBack, tamper, verifyIntact } from './proof.ts';
import { createStage, type Stage } from './stage.ts';
import { lookAround, openDecoy, rotateStolenKey, setTraps, stealKey, tryHoneypot } from './thief.ts';

const PATIENT =
  'A slow enumeration and a backup gone stale take days. They are told by a vault that goes away, whose time may be moved on.';
const SPARED =
  'The last scenes rewrite a trail for good. They are told by a vault that goes away: stop this one, and run the demo again.';

/**
 * Tells the whole story against a running vault and leaves its trail intact, however the story ends. Throws StoryError
 * where a scene does not show what it should.
 *
 * @param signal ends the story before its next scene.
 * @param isOwn whether the vault goes away afterwards, so that its history may be rewritten for good.
 */
export async function tellStory(config: DevConfig, signal: AbortSignal, isOwn: boolean): Promise<void> {
  const stage = createStage(config, signal);
  try {
    const secret = await moveIn(stage);
    await reveal(stage, secret);
    await change(stage, secret);
    const viewerId = await addViewer(stage, secret);
    const bea = await welcome(stage);
    await lockout(stage, bea);
    await secondFactor(stage, bea, secret);
    await revokedSession(stage, bea);
    await theft(stage, secret, isOwn);
    await bringOwnKey(stage, isOwn);
    await backUp(stage);
    if (isOwn) await letBackupGoStale(stage);
    else stage.say(PATIENT);
    await exportLog(stage);
    await verifyIntact(stage, 'Every row and every stored thing is checked');
    const eventId = await tamper(stage, secret, viewerId);
    await findOut(stage, eventId, viewerId);
    await putBack(stage, viewerId);
    await verifyIntact(stage, 'And the trail verifies again');
    await closeAlerts(stage);
    await takeEvidenceHome(stage);
    if (isOwn) await rewriteHistory(stage, secret);
    else stage.say(SPARED);
  } finally {
    await stage.insider.undo();
  }
}

/** A key is stolen. Whatever the thief does with it, somebody is told. */
async function theft(stage: Stage, secret: Secret, isOwn: boolean): Promise<void> {
  const channel = await openChannel(stage);
  try {
    const honeypotId = await setTraps(stage);
    const thief = await stealKey(stage);
    if (isOwn) await lookAround(stage, thief, channel);
    await openDecoy(stage, thief, channel);
    await tryHoneypot(stage, thief, honeypotId, channel);
    const successorId = await rotateStolenKey(stage, thief, secret);
    for (const id of [honeypotId, successorId]) await stage.owner.expect(204, 'DELETE', `/api-keys/${id}`);
  } finally {
    await channel.close();
  }
}
