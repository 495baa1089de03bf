import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../../..');

/** The paths below a folder of the repository, from its root on, that end so. */
export function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'))
    .map((path) => `${folder}/${path}`);
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Sentences go over several lines, and in code each begins with a sign of its own. */
export function prose(text: string): string {
  return text.replaceAll(/\s*\n[ \t]*(?:\*|\/\/)?[ \t]*/g, ' ');
}

export function headings(path: string): readonly string[] {
  return [...read(path).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
}

/** What a link to a heading ends with, as GitHub spells it. */
export function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The cells of the rows of every table on a page. */
export function tableRows(path: string): readonly (readonly string[])[] {
  return read(path)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

/** What stands between backticks. */
export function named(text = ''): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}
