import { median } from './measure.ts';
import type { Months } from './months.ts';
import type { Watched } from './watch-months.ts';

export interface Score {
  readonly attacks: number;
  readonly found: number;
  readonly alerts: number;
  readonly falseAlerts: number;
  /** Workspaces times weeks. */
  readonly weeks: number;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly byAttack: ReadonlyMap<string, AttackScore>;
  readonly falseByKind: ReadonlyMap<string, number>;
  readonly falseByWorkspace: readonly { readonly size: string; readonly perWeek: number }[];
}

interface AttackScore {
  attacks: number;
  /** Milliseconds from an attack's first row to the first alert that counts. */
  readonly delays: number[];
}

interface WatchedMonths {
  readonly size: string;
  readonly months: Months;
  readonly watched: Watched;
}

export function scoreOf(all: readonly WatchedMonths[]): Score {
  const byAttack = new Map<string, AttackScore>();
  for (const { months, watched } of all) {
    for (const attack of months.attacks) {
      const score = byAttack.get(attack.name) ?? { attacks: 0, delays: [] };
      byAttack.set(attack.name, score);
      score.attacks += 1;
      const foundAt = watched.foundAt.get(attack);
      if (foundAt !== undefined) score.delays.push(foundAt - attack.firstAt);
    }
  }
  const alerts = all.flatMap(({ watched }) => watched.raised);
  const wrong = alerts.filter(({ attack }) => attack === undefined);
  const falseByKind = Map.groupBy(wrong, ({ sighting }) => sighting.kind);
  const rows = sum(all.map(({ watched }) => watched.rows));
  return {
    attacks: sum([...byAttack.values()].map(({ attacks }) => attacks)),
    found: sum([...byAttack.values()].map(({ delays }) => delays.length)),
    alerts: alerts.length,
    falseAlerts: wrong.length,
    weeks: sum(all.map(({ watched }) => watched.weeks)),
    rows,
    rowsPerSecond: (rows / sum(all.map(({ watched }) => watched.milliseconds))) * 1_000,
    byAttack,
    falseByKind: new Map([...falseByKind].map(([kind, some]) => [kind, some.length])),
    falseByWorkspace: all.map(({ size, watched }) => ({
      size,
      perWeek: watched.raised.filter(({ attack }) => attack === undefined).length / watched.weeks,
    })),
  };
}

export function printAttacks({ byAttack }: Score): void {
  console.log('\nattack                                      found   recall   median delay   longest delay');
  for (const [name, { attacks, delays }] of byAttack) {
    const middle = delays.length === 0 ? '-' : duration(median(delays));
    const longest = delays.length === 0 ? '-' : duration(Math.max(...delays));
    const recall = (delays.length / attacks).toFixed(2);
    console.log(
      `${name.padEnd(42)} ${`${delays.length}/${attacks}`.padStart(6)} ${recall.padStart(8)} ${middle.padStart(14)} ${longest.padStart(15)}`,
    );
  }
}

export function printFalseAlarms({ falseByKind, falseByWorkspace, weeks }: Score): void {
  console.log('\nfalse alerts for each workspace and week, by kind');
  for (const [kind, count] of falseByKind) console.log(`${kind.padEnd(42)} ${(count / weeks).toFixed(2)}`);
  console.log('and by workspace');
  for (const { size, perWeek } of falseByWorkspace) console.log(`${size.padEnd(42)} ${perWeek.toFixed(2)}`);
  console.log();
}

function duration(milliseconds: number): string {
  const minutes = milliseconds / 60_000;
  if (minutes < 1) return `${Math.round(milliseconds / 1_000)} s`;
  return minutes < 120 ? `${minutes.toFixed(1)} min` : `${(minutes / 60).toFixed(1)} h`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
