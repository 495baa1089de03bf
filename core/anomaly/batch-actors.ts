import { concurrently } from '../kernel/concurrently.ts';
import { VaultError } from '../kernel/errors.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import {
  type AnomalyStates,
  actorName,
  KEY_LIFE_DAYS,
  PERSON_LIFE_DAYS,
  type WorkspaceProfile,
} from './anomaly-states.ts';
import type { Detectors } from './detectors.ts';
import { closeActor, type Faults, openActor, type WorkingActor } from './profiles.ts';
import type { Batch } from './read-batch.ts';
import { type Succession, successionOf } from './succession.ts';

/** Profiles saved at the same time. */
const WIDTH = 20;

/** The actors whose rows a batch has, and the keys that succeed one another in it, by {@link actorName}. */
export async function openActors(
  states: AnomalyStates,
  detectors: Detectors,
  workspaceId: string,
  { generation }: WorkspaceProfile,
  { rows }: Batch,
  faults: Faults,
): Promise<ReadonlyMap<string, WorkingActor>> {
  const known = rows.map(({ content }) => content.actor).filter(({ type }) => HAVE_PROFILES.has(type));
  const related = successionsIn(rows).flatMap(({ from, to }) => [from, to]);
  const names = [...new Set([...known.map(actorName), ...related])];
  const stored = names.length === 0 ? new Map() : await states.readActors(workspaceId, names);
  return new Map(names.map((name) => [name, openActor(detectors, stored.get(name), generation, faults)]));
}

/** Whoever came without valid credentials is many: only what detectors know of the workspace takes them into account. */
const HAVE_PROFILES: ReadonlySet<string> = new Set(['api_key', 'user']);

function successionsIn(rows: Batch['rows']): readonly Succession[] {
  return rows.flatMap(({ content }) => successionOf(content) ?? []);
}

/**
 * A key's successor is saved before the key itself, the last of a chain first: a run that dies between the two leaves
 * the key as it was, and whoever repeats the batch lets the successor inherit the same again.
 */
export async function saveActors(
  states: AnomalyStates,
  detectors: Detectors,
  workspaceId: string,
  profile: WorkspaceProfile,
  { rows }: Batch,
  actors: ReadonlyMap<string, WorkingActor>,
  faults: Faults,
): Promise<void> {
  const save = async (name: string): Promise<void> => {
    const actor = actors.get(name);
    if (actor === undefined || actor.lastSeenAt === 0) return;
    const next = closeActor(detectors, actor, profile, faults);
    const lifeDays = name.startsWith('api_key#') ? KEY_LIFE_DAYS : PERSON_LIFE_DAYS;
    const expiresAt = actor.lastSeenAt + lifeDays * DAY_MS;
    if ((await states.replaceActor(workspaceId, name, next, expiresAt)) === 'replaced') return;
    throw new VaultError('concurrent_change', 'Another run looks at the same rows. It goes on with them.');
  };
  const successors = new Set(
    successionsIn(rows)
      .map(({ to }) => to)
      .toReversed(),
  );
  for (const name of successors) await save(name);
  const others = [...actors.keys()].filter((name) => !successors.has(name));
  await concurrently(others, WIDTH, save);
}
