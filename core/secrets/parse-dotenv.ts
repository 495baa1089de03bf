import type { FieldError } from '../kernel/errors.ts';

export interface DotenvEntry {
  readonly name: string;
  readonly value: string;
  readonly where: string;
}

const NAME_PART = /^[^\S\n]*(?:export[^\S\n]+)?([^\s=#'"]+)[^\S\n]*=[^\S\n]*/;
const BLANK = /^[^\S\n]*(?:#[^\n]*)?(?:\n|$)/;
/** What may follow a closing quote on its line. */
const REST = /^[^\S\n]*(?:#[^\n]*)?(?:\n|$)/;
const LINE = /^[^\n]*(?:\n|$)/;
const ESCAPES: { readonly [letter: string]: string } = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  $: '$',
};

/**
 * Reads a `.env` file: lines `NAME=value`, optionally after `export`; blank lines and lines that start with `#` are
 * skipped. Values are bare (trimmed, up to a `#` that follows white space), in single quotes or backquotes (as they
 * stand, over several lines), or in double quotes (likewise, with `\n`, `\r`, `\t`, `\"`, `\\` and `\$`).
 * Nothing is substituted.
 *
 * A line that fits none of this is an error, not skipped: a credential lost in silence is found missing in production.
 */
export function parseDotenv(content: string): {
  readonly entries: DotenvEntry[];
  readonly errors: FieldError[];
} {
  const entries: DotenvEntry[] = [];
  const errors: FieldError[] = [];
  let rest = content.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  let line = 1;
  const consume = (length: number): void => {
    line += rest.slice(0, length).split('\n').length - 1;
    rest = rest.slice(length);
  };

  while (rest.length > 0) {
    const blank = BLANK.exec(rest);
    if (blank !== null) {
      consume(blank[0].length);
      continue;
    }
    const where = `line ${line}`;
    const read = readEntry(rest);
    if ('reason' in read) {
      errors.push({ path: `content: ${where}`, reason: read.reason });
      consume(LINE.exec(rest)?.[0].length ?? rest.length);
    } else {
      entries.push({ name: read.name, value: read.value, where });
      consume(read.length);
    }
  }
  return { entries, errors };
}

type Read =
  | { readonly name: string; readonly value: string; readonly length: number }
  | { readonly reason: string };

function readEntry(text: string): Read {
  const head = NAME_PART.exec(text);
  const name = head?.[1];
  if (head === null || name === undefined) return { reason: 'is not of the form NAME=value' };
  const start = head[0].length;
  const quote = text[start];
  if (quote !== '"' && quote !== "'" && quote !== '`') {
    const bare = LINE.exec(text.slice(start))?.[0] ?? '';
    return { name, value: bare.replace(/(?:^|\s)#.*$/m, '').trim(), length: start + bare.length };
  }
  const end = closingQuote(text, start + 1, quote);
  if (end === undefined) return { reason: 'opens a quote that is never closed' };
  const after = REST.exec(text.slice(end + 1));
  if (after === null) return { reason: 'has text after the closing quote' };
  const quoted = text.slice(start + 1, end);
  return { name, value: quote === '"' ? unescapeText(quoted) : quoted, length: end + 1 + after[0].length };
}

function closingQuote(text: string, from: number, quote: string): number | undefined {
  for (let index = from; index < text.length; index += 1) {
    if (text[index] === '\\' && quote === '"') index += 1;
    else if (text[index] === quote) return index;
  }
  return undefined;
}

function unescapeText(quoted: string): string {
  return quoted.replace(/\\([\s\S])/g, (whole, letter: string) => ESCAPES[letter] ?? whole);
}
