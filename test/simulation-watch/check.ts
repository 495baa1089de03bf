import { STEP } from './detectors.ts';
import { type WatchWorld, WORKSPACE } from './world.ts';

interface Row {
  readonly lane: number;
  readonly seq: number;
  readonly action: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly detail: { readonly marked?: string };
}

/**
 * Whether each row counts once, and each finding is one alert: judged by the rows and profiles as they lie there, with
 * nothing of the vault's own code. Gives a sentence for each promise that was broken.
 */
export function check(world: WatchWorld): string[] {
  const rows = [...world.tables.rows.values()]
    .filter(({ workspaceId }) => workspaceId === WORKSPACE)
    .map(({ bytes }): Row => JSON.parse(Buffer.from(bytes).toString('utf8')))
    .filter(({ actor, action }) => actor.type !== 'system' && !action.startsWith('alert.'));
  const byActor = Map.groupBy(
    rows.filter(({ actor }) => actor.type === 'api_key'),
    ({ actor }) => actor.id,
  );
  const expected = new Map<string, number>();
  const violations = [
    ...world.complaints,
    ...checkCounter('the workspace', rows, countOf(world.states.workspaces.get(WORKSPACE), 'overall')),
  ];
  expectAlerts(expected, 'reconnaissance', 'all', rows);
  for (const [id, own] of byActor) {
    const profile = world.states.actors.get(`${WORKSPACE}#api_key#${id}`);
    violations.push(...checkCounter(id, own, countOf(profile, 'perActor')));
    expectAlerts(expected, 'volume_anomaly', id, own);
  }
  return [...violations, ...checkAlerts(world, expected)];
}

/** The rows that a counter remembers. */
function countOf(profile: { readonly state: string } | undefined, counter: string): readonly string[] {
  return JSON.parse(profile?.state ?? '{}').states?.[counter]?.rows ?? [];
}

/** Each row was shown once, and those of a lane in its order. */
function checkCounter(name: string, rows: readonly Row[], counted: readonly string[]): string[] {
  const expected = rows.map(({ lane, seq }) => `${lane}-${seq}`);
  const missing = expected.filter((id) => !counted.includes(id));
  const twice = counted.filter((id, index) => counted.indexOf(id) !== index);
  const strange = counted.filter((id) => !expected.includes(id));
  const disordered = counted.filter((id, index) => {
    const [lane, seq] = id.split('-').map(Number);
    return counted.slice(index + 1).some((later) => {
      const [otherLane, otherSeq = 0] = later.split('-').map(Number);
      return otherLane === lane && otherSeq < (seq ?? 0);
    });
  });
  return Object.entries({ missing, twice, strange, disordered }).flatMap(([what, ids]) =>
    ids.length === 0 ? [] : [`${name}: ${what}: ${ids.join(' ')}`],
  );
}

/** One alert for each mark, as often as there are rows that have it, and one for every tenth row. */
function expectAlerts(expected: Map<string, number>, kind: string, name: string, rows: readonly Row[]): void {
  const add = (subject: string): void => {
    const alert = `${kind} ${name}: ${subject}`;
    expected.set(alert, (expected.get(alert) ?? 0) + 1);
  };
  for (const { detail } of rows) if (detail.marked !== undefined) add(detail.marked);
  for (let count = STEP; count <= rows.length; count += STEP) add(`${count} rows`);
}

function checkAlerts(world: WatchWorld, expected: ReadonlyMap<string, number>): string[] {
  const found = new Map<string, number>(
    [...world.tables.entities.values()].flatMap(({ entity }) => {
      const { kind, alertKind, subject, count } = { alertKind: '', subject: '', count: 0, ...entity };
      return kind === 'alert' ? [[`${alertKind} ${subject}`, count] as const] : [];
    }),
  );
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].flatMap((name) => {
    const [is, should] = [found.get(name) ?? 0, expected.get(name) ?? 0];
    return is === should ? [] : [`alert: ${name} was raised ${is} times, not ${should}`];
  });
}
