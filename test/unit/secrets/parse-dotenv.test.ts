import fc from 'fast-check';
import { VaultError } from '../../../core/kernel/errors.ts';
import { parseDotenv } from '../../../core/secrets/parse-dotenv.ts';
import { parseImport } from '../../../core/secrets/parse-import.ts';

function values(content: string): Record<string, string> {
  const { entries, errors } = parseDotenv(content);
  expect(errors).toEqual([]);
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]));
}

describe('a value', () => {
  it.each<[name: string, line: string, value: string]>([
    ['bare', 'A=value', 'value'],
    ['bare, empty', 'A=', ''],
    ['bare, trimmed', 'A =  value \t', 'value'],
    ['bare, with spaces within', 'A=two words', 'two words'],
    ['bare, with = within', 'A=postgres://u:p@h/db?x=1==', 'postgres://u:p@h/db?x=1=='],
    ['bare, with # within a word', 'A=pa#ss#', 'pa#ss#'],
    ['bare, up to a # after white space', 'A=value # a comment', 'value'],
    ['bare, up to a # after a tab', 'A=value\t#x', 'value'],
    ['bare, that is a comment alone', 'A= # a comment', ''],
    ['bare, with # at once', 'A=#x', ''],
    ['bare, with quotes within', 'A=it\'s "fine"', 'it\'s "fine"'],
    ['bare, with backslashes as they stand', 'A=C:\\new\\table', 'C:\\new\\table'],
    ['bare, with nothing substituted', 'A=$HOME/$B', '$HOME/$B'],
    ['in double quotes', 'A="value"', 'value'],
    ['in double quotes, empty', 'A=""', ''],
    ['in double quotes, spaces kept', 'A="  value  "', '  value  '],
    ['in double quotes, with # within', 'A="a # b"', 'a # b'],
    ['in double quotes, before a comment', 'A="a" # b', 'a'],
    ['in double quotes, with escapes', String.raw`A="a\nb\rc\td\"e\\f\$g"`, 'a\nb\rc\td"e\\f$g'],
    [
      'in double quotes, with other backslashes as they stand',
      String.raw`A="\d\u0041\'"`,
      String.raw`\d\u0041\'`,
    ],
    ['in double quotes, ending in a backslash', String.raw`A="a\\"`, 'a\\'],
    ['in double quotes, over lines', 'A="one\ntwo\n"', 'one\ntwo\n'],
    ['in single quotes, as it stands', String.raw`A='a\n"b" # $c'`, String.raw`a\n"b" # $c`],
    ['in single quotes, over lines', "A='one\n  two'", 'one\n  two'],
    ['in backquotes', 'A=`it\'s "fine"\\n`', 'it\'s "fine"\\n'],
    ['after export', 'export A=value', 'value'],
    ['after export and tabs', '\texport\t A\t=\tvalue', 'value'],
    ['of any script', 'A=Ünïcödé 🔑', 'Ünïcödé 🔑'],
  ])('%s', (_, line, value) => {
    expect(values(line)).toEqual({ A: value });
    expect(values(`${line}\nB=next`)).toEqual({ A: value, B: 'next' });
  });

  it('export may be a name itself', () => {
    expect(values('export=1\nexport export=2')).toEqual({ export: '2' });
  });
});

describe('files of the kinds that people have', () => {
  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('lines may end in %s', (_, end) => {
    expect(values(`A=1${end}${end}# note${end}B="x${end}y"${end}`)).toEqual({ A: '1', B: 'x\ny' });
  });

  it('a byte order mark is no part of the first name', () => {
    expect(values('\uFEFFA=1')).toEqual({ A: '1' });
  });

  it('blank lines and comments are skipped, and an empty file holds nothing', () => {
    expect(values('\n  \n\t# A=1\n#B=2\n   # "unclosed\nC=3\n\n')).toEqual({ C: '3' });
    expect(values('')).toEqual({});
    expect(values(' \n#')).toEqual({});
  });

  it('a private key keeps its lines', () => {
    const key = '-----BEGIN KEY-----\nMIIE+abc/=\n-----END KEY-----\n';
    expect(values(`A="${key}"\nB='${key}'`)).toEqual({ A: key, B: key });
  });
});

describe('a line that fits nothing', () => {
  it.each<[string, string, string[]]>([
    ['without =', 'A=1\nhunter2\nB=2', ['content: line 2: is not of the form NAME=value']],
    ['without a name', '=hunter2', ['content: line 1: is not of the form NAME=value']],
    ['with a space in its name', 'A B=hunter2', ['content: line 1: is not of the form NAME=value']],
    ['in YAML', 'password: hunter2', ['content: line 1: is not of the form NAME=value']],
    ['never closed', 'A=1\nB="hunter2\nC=3', ['content: line 2: opens a quote that is never closed']],
    [
      'closed by an escaped quote alone',
      'B="hunter2\\"',
      ['content: line 1: opens a quote that is never closed'],
    ],
    ['with text after its quote', 'A="x" hunter2', ['content: line 1: has text after the closing quote']],
    [
      'more than one',
      'hunter2\r\nA="1\r\n2"\r\n\r\nhunter2',
      ['content: line 1: is not of the form NAME=value', 'content: line 5: is not of the form NAME=value'],
    ],
  ])('%s is an error with its number, and is not repeated', (_, content, expected) => {
    const { errors } = parseDotenv(content);
    expect(errors.map(({ path, reason }) => `${path}: ${reason}`)).toEqual(expected);
  });

  it('keeps no other line from being read', () => {
    const { entries } = parseDotenv('A=1\nbroken\nB="x\n y"\nbroken\nC=3');
    expect(entries).toEqual([
      { name: 'A', value: '1', where: 'line 1' },
      { name: 'B', value: 'x\n y', where: 'line 3' },
      { name: 'C', value: '3', where: 'line 6' },
    ]);
  });
});

/** Pieces of which files are made, broken ones included; every value in them is the same word. */
const SECRET = 'hunter2';
const piece = fc.constantFrom(
  ...[
    'A',
    'B.C',
    'export ',
    '=',
    ' ',
    '\t',
    '\n',
    '\r\n',
    '"',
    "'",
    '`',
    '\\',
    '#',
    ' #',
    '$',
    '\uFEFF',
    'é',
  ],
  ...['\u2028', '\0', '__proto__', SECRET, `"${SECRET}"`, `'${SECRET}`, `X=${SECRET}\n`],
);
const content = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

it('of any file either all is taken or it is refused as a whole, and no error tells a value', () => {
  fc.assert(
    fc.property(content, (text) => {
      try {
        for (const { name, value } of parseImport('env', text)) {
          expect(name).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
          expect(typeof value).toBe('string');
        }
      } catch (error) {
        expect(error).toBeInstanceOf(VaultError);
        expect(error).toMatchObject({ code: 'invalid_request' });
        const { message, errors } = error as VaultError;
        expect(JSON.stringify([message, errors])).not.toContain(SECRET);
      }
    }),
    { numRuns: 2_000 },
  );
});

it('any value that is quoted as the rules say comes back', () => {
  const quoted = (value: string): string =>
    `"${value.replaceAll(/["\\$]/g, '\\$&').replaceAll('\r', '\\r')}"`;
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), (value) => {
      expect(values(`A=${quoted(value)}`)).toEqual({ A: value });
    }),
  );
});
