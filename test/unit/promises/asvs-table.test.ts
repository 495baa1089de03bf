import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const VERDICTS = ['met', 'in part', 'refused', 'n/a'] as const;

/** All requirements of OWASP ASVS 5.0.0, V6, V7, V9 and V10, by section; a star marks those of level 1, the rest are of level 2. */
const REQUIREMENTS: Readonly<Record<string, string>> = {
  '6.1': '1* 2 3',
  '6.2': '1* 2* 3* 4* 5* 6* 7* 8* 9 10 11 12',
  '6.3': '1* 2* 3 4',
  '6.4': '1* 2* 3 4',
  '6.5': '1 2 3 4 5',
  '6.6': '1 2 3',
  '6.8': '1 2 3 4',
  '7.1': '1 2 3',
  '7.2': '1* 2* 3* 4*',
  '7.3': '1 2',
  '7.4': '1* 2* 3 4 5',
  '7.5': '1 2',
  '7.6': '1 2',
  '9.1': '1* 2* 3*',
  '9.2': '1* 2 3 4',
  '10.1': '1 2',
  '10.2': '1 2',
  '10.3': '1 2 3 4',
  '10.4': '1* 2* 3* 4* 5* 6 7 8 9 10 11',
  '10.5': '1 2 3 4 5',
  '10.6': '1 2',
  '10.7': '1 2 3',
};

const expected = Object.entries(REQUIREMENTS).flatMap(([section, numbers]) =>
  numbers
    .split(' ')
    .map((number) => `${section}.${number.replace('*', '')} level ${number.endsWith('*') ? 1 : 2}`),
);

const lines = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8').split('\n');
const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

const rows = lines
  .filter((line) => /^\| \d+\.\d+\.\d+ \|/.test(line))
  .map((line) => {
    const [number = '', level = '', demand = '', verdict = '', proof = '', ...more] = cellsOf(line);
    return { number, level, demand, verdict, proof, more };
  });

/** The tests that a cell names: a file in backticks, and after it its titles in quotation marks. */
function testsIn(proof: string): { readonly file: string; readonly title: string }[] {
  return [...proof.matchAll(/`([a-z]+\/[\w-]+)` ((?:"[^"]+"(?:; )?)+)/g)].flatMap(([, name, titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({
      file: `test/unit/${name}.test.ts`,
      title,
    })),
  );
}

it('has each of the 89 requirements once, with its level', () => {
  expect(expected).toHaveLength(89);
  expect(rows.map(({ number, level }) => `${number} level ${level}`)).toEqual(expected);
});

it('says of each what is demanded, a verdict, and why', () => {
  for (const { number, demand, verdict, proof, more } of rows) {
    expect({ number, verdict, more }).toEqual({ number, verdict: expect.any(String), more: [] });
    expect(VERDICTS).toContain(verdict);
    expect([demand, proof]).not.toContain('');
  }
});

it('counts them as they are', () => {
  for (const chapter of ['V6', 'V7', 'V9', 'V10', 'all']) {
    const own = rows.filter(({ number }) => chapter === 'all' || number.startsWith(`${chapter.slice(1)}.`));
    const levels = ['1', '2'].map((level) => own.filter((row) => row.level === level).length);
    const verdicts = VERDICTS.map((verdict) => own.filter((row) => row.verdict === verdict).length);
    const [line = ''] = lines.filter((text) => text.startsWith(`| ${chapter} |`));
    expect(cellsOf(line)).toEqual([chapter, ...[...levels, ...verdicts].map(String)]);
  }
});

/** Parts of documents are named in quotation marks, too. */
const headings = ['identity.md', 'threat-model.md'].flatMap((name) =>
  [...readFileSync(join(ROOT, 'docs', name), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading),
);

it.each(rows.filter(({ verdict }) => verdict !== 'n/a'))(
  '$number names tests that there are',
  ({ proof }) => {
    const tests = testsIn(proof);
    expect(tests).not.toEqual([]);
    for (const { file, title } of tests) {
      const source = existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : '';
      const isThere = [`'${title}'`, `"${title}"`].some((literal) => source.includes(literal));
      expect({ file, title, isThere }).toEqual({ file, title, isThere: true });
    }
    const titles = tests.map(({ title }) => title);
    const quoted = [...proof.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text);
    expect(quoted.filter((text) => !titles.includes(text) && !headings.includes(text))).toEqual([]);
  },
);

it('gives the reasons for all that is refused, in whole or in part', () => {
  const refused = rows.filter(({ verdict }) => verdict === 'refused' || verdict === 'in part');
  const text = lines.join('\n');
  const reasons = text.slice(
    text.indexOf('### What is refused, and why'),
    text.indexOf('### What the documents say'),
  );
  const named = [...reasons.matchAll(/^- \*\*(.+)\*\*/gm)].flatMap(
    ([, head = '']) => head.match(/\d+\.\d+\.\d+/g) ?? [],
  );
  expect(named.toSorted()).toEqual(refused.map(({ number }) => number).toSorted());
});
