import { allDetectors } from '../../../core/anomaly/detectors.ts';
import { ALERT_KINDS } from '../../../core/detection/alert.ts';
import { allKinds } from '../../../core/kinds.ts';
import { RHYTHMS, type Rhythm } from '../../../local/rhythms.ts';
import { filesBelow, named, read, tableRows } from './pages.ts';

const firstNames = (page: string) => tableRows(page).flatMap(([first]) => named(first));

describe('alerts', () => {
  it.each(ALERT_KINDS)('docs/alerts.md has a line for %s', (kind) => {
    expect(firstNames('docs/alerts.md')).toContain(kind);
  });

  it('docs/architecture.md says who raises each', () => {
    const told = tableRows('docs/architecture.md').flatMap(([, , , raised]) => named(raised));
    expect(ALERT_KINDS.filter((kind) => !told.includes(kind))).toEqual([]);
  });
});

describe('detectors', () => {
  it.each([...allDetectors.keys()])('%s has its page', (name) => {
    const [link = ''] =
      tableRows('docs/detection/README.md').find((row) => named(row[1]).includes(name)) ?? [];
    const page = `docs/detection/${/\]\(([\w-]+\.md)\)/.exec(link)?.[1]}`;
    expect(read(page)).toContain(`\`${name}\``);
  });
});

describe('docs/architecture.md', () => {
  const rows = tableRows('docs/architecture.md');

  it.each(filesBelow('lambdas', '/handler.ts').map((path) => path.split('/')[1] ?? ''))(
    'the function %s has its line',
    (name) => {
      expect(rows.filter(([first]) => first === `\`${name}\``)).toHaveLength(1);
    },
  );

  it.each(Object.entries(RHYTHMS))('%s runs when it says', (name, rhythm) => {
    const [, when] = rows.find(([first]) => first === `\`${name}\``) ?? [];
    expect(when).toContain(inWords(rhythm));
  });

  it.each([...allKinds.keys()])('the kind of entity %s has its line', (kind) => {
    expect(firstNames('docs/architecture.md')).toContain(kind);
  });
});

describe('docs/audit-format.md', () => {
  const entities = new Map(tableRows('docs/audit-format.md').map(([first, second]) => [first, second]));
  const listed = named(entities.get('`lk`, `lsk`'));
  const expiring = named(entities.get('`ttl`'));

  it.each([...allKinds])('says whether and how %s is listed, and whether it expires', (name, kind) => {
    expect(listed.includes(name)).toBe(kind.listing !== undefined);
    expect(expiring.includes(name)).toBe(kind.expiry !== undefined);
  });
});

const DAY = 24 * 60;

function inWords({ everyMinutes, at = 0 }: Rhythm): string {
  const two = (number: number) => String(number).padStart(2, '0');
  if (everyMinutes === DAY) return `daily ${two(Math.floor(at / 60))}:${two(at % 60)} UTC`;
  if (everyMinutes === 60) return 'hourly';
  return everyMinutes === 1 ? 'every minute' : `every ${everyMinutes} minutes`;
}
