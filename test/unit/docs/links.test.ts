import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { anchor, filesBelow, headings, prose, ROOT, read } from './pages.ts';

const pages = ['README.md', ...filesBelow('docs', '.md')];
const sources = ['aws', 'bench', 'bin', 'core', 'lambdas', 'lib', 'local', 'net', 'ops', 'verify'].flatMap(
  (room) => [...filesBelow(room, '.ts'), ...filesBelow(room, '.js')],
);
const isThere = (path: string) => existsSync(join(ROOT, path));

/** Where the Markdown links of a page lead, but for those to other places. */
function links(page: string): { readonly path: string; readonly section: string }[] {
  return [...read(page).matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^(https?|mailto):/.test(target))
    .map((target) => {
      const [path = '', section = ''] = target.split('#');
      return { path: path === '' ? page : posix.join(posix.dirname(page), path), section };
    });
}

/** Pages that are named by their path, as `docs/alerts.md`, with the sections that are named behind them. */
function mentions(file: string): { readonly path: string; readonly section: string | undefined }[] {
  return [...prose(read(file)).matchAll(/\b(docs\/[\w./-]*[\w/])`?(?:, "([^"]+)")?/g)].map(
    ([, path = '', section]) => ({ path, section }),
  );
}

it.each(pages)('%s: every link leads somewhere', (page) => {
  const broken = links(page).filter(
    ({ path, section }) =>
      !isThere(path) || (section !== '' && !headings(path).map(anchor).includes(section)),
  );
  expect(broken).toEqual([]);
});

it.each(pages)('%s: every file that it names is there', (page) => {
  const rooms = /^(aws|bench|bin|core|docs|lambdas|lib|local|net|ops|test|verify)\/[\w./-]+$/;
  const paths = [...read(page).matchAll(/`([^`\s]+)`/g)].map(([, path = '']) => path);
  expect(paths.filter((path) => rooms.test(path) && !isThere(path))).toEqual([]);
});

it('every page and every section that is named as such is there', () => {
  const broken = [...pages, ...sources].flatMap((file) =>
    mentions(file)
      .filter(
        ({ path, section }) => !isThere(path) || (section !== undefined && !headings(path).includes(section)),
      )
      .map(({ path, section }) => ({ file, path, section })),
  );
  expect(broken).toEqual([]);
});

it.each(pages)('%s: sees only sections that it has', (page) => {
  const seen = [...prose(read(page)).matchAll(/\bsee "([^"]+)"/gi)].map(([, section = '']) => section);
  expect(seen.filter((section) => !headings(page).includes(section))).toEqual([]);
});

it.each(pages)('%s: no two sections have the same name', (page) => {
  const anchors = headings(page).map(anchor);
  expect(anchors.filter((one, index) => anchors.indexOf(one) !== index)).toEqual([]);
});

it.each(pages)('%s: every decision that it names is there', (page) => {
  const numbers = [...read(page).matchAll(/\bADR (\d+)/g)].map(([, number = '']) => number.padStart(4, '0'));
  const decisions = pages.filter((one) => one.startsWith('docs/adr/'));
  expect(numbers.filter((number) => !decisions.some((one) => one.includes(`/${number}-`)))).toEqual([]);
});

it('whoever begins at the README finds every page', () => {
  const found = new Set(['README.md']);
  for (const page of found) {
    for (const { path } of [...links(page), ...mentions(page)]) {
      for (const reached of pages.filter((other) => other === path || posix.dirname(other) === trimmed(path)))
        found.add(reached);
    }
  }
  expect(pages.filter((page) => !found.has(page))).toEqual([]);
});

/** A folder, without a slash at the end. */
function trimmed(path: string): string {
  return path.replace(/\/$/, '');
}
