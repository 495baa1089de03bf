import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { keyMigrationKind } from '../encryption-keys/key-migration.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { VaultError } from '../kernel/errors.ts';
import { secretKind, secretNameKind } from '../secrets/secret.ts';
import { webhookKind } from '../siem/webhook.ts';
import { explainEntity } from '../verification/explain-entity.ts';
import { type Sample, SampleChoice } from './choose-samples.ts';
import { clampCursor } from './clamp-cursor.ts';
import { commitDecisions } from './commit-decisions.ts';
import { decideStray, type KnownRows } from './decide.ts';
import type { Decision } from './decision.ts';
import type { ReconcileParts } from './reconcile-workspace.ts';
import type { RestoreParts } from './restore-parts.ts';
import { Owners, type Settled, settleMigration, settleName, settleSecret } from './settle-entities.ts';

/** Entities looked at side by side: nearly all of them cost one read. */
const WIDTH = 32;

export type ScanParts = ReconcileParts & Pick<RestoreParts, 'store' | 'deliveries' | 'random'>;

export interface Scanned {
  readonly entities: number;
  /** Neither explained nor closed, or damaged: evidence. */
  readonly left: number;
  /** Cursors of webhooks that were beyond the last row. */
  readonly cursors: number;
  /** Secrets of which no value is there. */
  readonly withoutValue: number;
  readonly samples: readonly Sample[];
}

/**
 * Goes through the whole table once, after each workspace's rows were followed: entities that no row names, then what
 * hangs together with others: a secret with its newest value and its name, a workspace with its owners, a webhook with
 * its cursor, a migration of keys with the values that it has to look at again. On the way, it chooses samples.
 *
 * @param rowsOf what is known of a workspace's rows.
 * @param samples for each workspace.
 * @throws as {@link commitDecisions}.
 */
export async function scanRestored(
  parts: ScanParts,
  rowsOf: (workspaceId: string) => KnownRows,
  samples: number,
): Promise<Scanned> {
  const owners = new Owners();
  const choice = new SampleChoice(parts.random, samples);
  const named = new Set<string>();
  let [entities, left, cursors, withoutValue] = [0, 0, 0, 0];
  let after: string | undefined;
  do {
    const page = await parts.inspector.scanPage(after);
    const strays = await concurrently(page.entities, WIDTH, async (found) =>
      (await rowsOf(found.workspaceId).isExplained(found))
        ? 'explained'
        : await decideStray(parts, rowsOf(found.workspaceId), found),
    );
    await commitDecisions(
      parts,
      strays.flatMap((stray) => decisionIn(stray) ?? []),
    );
    for (const [index, found] of page.entities.entries()) {
      if (strays[index] !== undefined) continue;
      // What a row tells that is not believed stays as it is, where it opens nothing.
      const isTold = (await explainEntity(parts.ledger, found.workspaceId, found)) === 'explained';
      left += Number(!isTold);
    }
    const settled = await concurrently(page.entities, WIDTH, (found) =>
      unlessDamaged(() => settle(parts, rowsOf, found)),
    );
    await commitDecisions(
      parts,
      settled.flatMap((one) => one?.decisions ?? []).filter((decision) => isFirst(named, decision)),
    );
    for (const [index, found] of page.entities.entries()) {
      const isRemoved = decisionIn(strays[index])?.outcome === 'removed';
      if (!isRemoved) owners.note(found);
      const { secret, hasMoved = false } = settled[index] ?? {};
      cursors += Number(hasMoved);
      if (secret === undefined || secret.deletedAt !== undefined || secret.purging) continue;
      if (secret.hasValue) choice.offer(secret);
      else withoutValue += 1;
    }
    entities += page.entities.length;
    after = page.next;
  } while (after !== undefined);
  await commitDecisions(parts, await owners.settle(parts.store));
  return { entities, left, cursors, withoutValue, samples: choice.all() };
}

function decisionIn(stray: Decision | 'explained' | undefined): Decision | undefined {
  return stray === 'explained' ? undefined : stray;
}

async function settle(
  parts: ScanParts,
  rowsOf: (workspaceId: string) => KnownRows,
  found: InspectedEntity,
): Promise<Settled & { readonly hasMoved?: boolean }> {
  switch (found.kind) {
    case secretKind.name:
      return settleSecret(parts.store, found);
    case secretNameKind.name:
      return settleName(parts.store, found);
    case keyMigrationKind.name:
      return settleMigration(parts.store, found, parts.now);
    case webhookKind.name:
      return { decisions: [], hasMoved: await clampCursor(parts, found, rowsOf(found.workspaceId).ends) };
    default:
      return { decisions: [] };
  }
}

/** What somebody damaged must not keep the rest from coming back; the verifier tells of it. */
async function unlessDamaged<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VaultError && error.code === 'internal') return undefined;
    throw error;
  }
}

/** Of two secrets with one name that nobody reserved, the first gets it. */
function isFirst(named: Set<string>, { workspaceId, outcome, changes }: Decision): boolean {
  if (outcome !== 'recreated') return true;
  const name = `${workspaceId}#${changes[0].entity.id}`;
  if (named.has(name)) return false;
  named.add(name);
  return true;
}
