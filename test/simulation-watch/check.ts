import { STEP } from './detectors.ts';
import { MAX_SKEW_MS, type WatchWorld, WORKSPACE } from './world.ts';

interface Row {
  /** Decimal digits, as a row has them. */
  readonly lane: string;
  readonly seq: string;
  readonly ts: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly entity: { readonly id: string };
  readonly detail: { readonly marked?: string; readonly successor?: string };
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
  const countedBy = (id: string) =>
    countOf(world.states.actors.get(`${WORKSPACE}#api_key#${id}`), 'perActor');
  for (const id of world.keys) {
    const own = byActor.get(id) ?? [];
    const ownNames = new Set(own.map(nameOf));
    const counted = countedBy(id);
    const rotation = rows.find(({ detail }) => detail.successor === id);
    const inherited = counted.findIndex((name) => ownNames.has(name));
    const prefix = rotation === undefined ? 0 : inherited < 0 ? counted.length : inherited;
    if (rotation !== undefined)
      violations.push(
        ...checkInheritance(id, rotation, counted.slice(0, prefix), countedBy(rotation.entity.id), rows),
      );
    violations.push(...checkCounter(id, own, counted.slice(prefix)));
    expectAlerts(expected, 'volume_anomaly', id, own, prefix, counted.length);
  }
  return [...violations, ...checkAlerts(world, expected)];
}

function nameOf({ lane, seq }: Row): string {
  return `${lane}-${seq}`;
}

/** A successor begins with what its predecessor knew at the rotation: no later, and no earlier. */
function checkInheritance(
  id: string,
  rotation: Row,
  inherited: readonly string[],
  predecessor: readonly string[],
  rows: readonly Row[],
): string[] {
  const isPrefix = inherited.every((name, index) => name === predecessor[index]);
  const late = rows.filter((row) => inherited.includes(nameOf(row)) && isBehind(row, rotation));
  const rest = new Set(predecessor.slice(inherited.length));
  const early = rows.filter(
    (row) => rest.has(nameOf(row)) && row.lane === rotation.lane && Number(row.seq) < Number(rotation.seq),
  );
  if (isPrefix && late.length + early.length === 0) return [];
  return [`${id}: inherited the wrong rows: ${late.map(nameOf)}; not: ${early.map(nameOf)}`];
}

/** Rows of two lanes come in the order of clocks, which differ. */
function isBehind({ lane, seq, ts }: Row, rotation: Row): boolean {
  if (lane === rotation.lane) return Number(seq) > Number(rotation.seq);
  return Date.parse(ts) > Date.parse(rotation.ts) + 2 * MAX_SKEW_MS;
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
function expectAlerts(
  expected: Map<string, number>,
  kind: string,
  name: string,
  rows: readonly Row[],
  before = 0,
  total = rows.length,
): void {
  const add = (subject: string): void => {
    const alert = `${kind} ${name}: ${subject}`;
    expected.set(alert, (expected.get(alert) ?? 0) + 1);
  };
  for (const { detail } of rows) if (detail.marked !== undefined) add(detail.marked);
  for (let count = STEP; count <= total; count += STEP) if (count > before) add(`${count} rows`);
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
