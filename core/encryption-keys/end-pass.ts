import { timestamp } from '../kernel/timestamps.ts';
import type { KeyMigration } from './key-migration.ts';
import { BLOCKED_PAUSE_MS, DRAIN_MS, LIST_LAG_MS } from './migration-parts.ts';

type Patch = Pick<KeyMigration, 'state' | 'position' | 'passDisturbed'> &
  Partial<Record<'finishedAt' | 'notBefore', string | undefined>>;

/**
 * What a pass over all that there is comes to. Only one that found nothing to move ends its migration; that began once
 * nobody could write under an earlier key any more, and during which nothing went from one list into the other, where the
 * pass may have missed it in both. What has to pass before the next one is a good while for each of these.
 */
export function endedPass(migration: KeyMigration, now: number): Patch {
  const { startedAt, passStartedAt, passMoved, passBlocked, passDisturbed } = migration;
  const drained = Date.parse(startedAt) + DRAIN_MS;
  const isLast =
    passMoved === 0 && passBlocked === 0 && !passDisturbed && Date.parse(passStartedAt) >= drained;
  const over = { position: { list: 'over' }, passDisturbed: false } as const;
  if (isLast) return { ...over, state: 'done', finishedAt: timestamp(now) };
  const isBlocked = passBlocked > 0;
  const next = Math.max(
    drained,
    passDisturbed ? now + LIST_LAG_MS : 0,
    isBlocked ? now + BLOCKED_PAUSE_MS : 0,
  );
  return { ...over, state: isBlocked ? 'blocked' : 'moving', notBefore: timestamp(next) };
}

/**
 * The second half of a pass. It waits for the lists: what went from one into the other while the first half was under way
 * may be in neither for a moment.
 */
export function secondHalf(now: number): Pick<KeyMigration, 'position' | 'notBefore'> {
  return { position: { list: 'deleted' }, notBefore: timestamp(now + LIST_LAG_MS) };
}

/**
 * The migration with its next pass begun, if the last one is over. Counts once something of it is committed. What was
 * restored between the two disturbs the pass that begins: the lists may not show it yet.
 */
export function begunPass(migration: KeyMigration, now: number): KeyMigration {
  if (migration.position.list !== 'over') return migration;
  return {
    ...migration,
    state: 'moving',
    pass: migration.pass + 1,
    passStartedAt: timestamp(now),
    position: { list: 'live' },
    passLooked: 0,
    passMoved: 0,
    passBlocked: 0,
  };
}
