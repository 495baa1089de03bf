import { VaultError } from '../../../core/kernel/errors.ts';
import { MAX_IMPORTED_SECRETS, parseImport } from '../../../core/secrets/parse-import.ts';
import { MAX_VALUE_BYTES } from '../../../core/secrets/secret.ts';

/** The faults of a content, as `path: reason`. */
function faults(format: 'env' | 'json', content: string): string[] {
  try {
    parseImport(format, content);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    expect(error.code).toBe('invalid_request');
    return (error.errors ?? []).map(({ path, reason }) => `${path}: ${reason}`);
  }
  return [];
}

it('reads a .env file and a JSON object alike, in their order', () => {
  const expected = [
    { name: 'B', value: '1' },
    { name: 'A', value: 'x\ny' },
  ];
  expect(parseImport('env', 'B=1\nA="x\ny"')).toEqual(expected);
  expect(parseImport('json', '{"B": "1", "A": "x\\ny"}')).toEqual(expected);
});

it.each([
  ['not JSON', '{"A": "hunter2"', 'content: is not usable JSON: The body is not valid JSON.'],
  ['a list', '["hunter2"]', 'content: must be a JSON object of names and string values'],
  ['a string', '"hunter2"', 'content: must be a JSON object of names and string values'],
  ['null', 'null', 'content: must be a JSON object of names and string values'],
  ['a number for a value', '{"A": "x", "B": 2}', 'content: member 2: the value must be a string'],
  ['an object for a value', '{"A": {"hunter2": "x"}}', 'content: member 1: the value must be a string'],
])('JSON that is %s is refused', (_, content, fault) => {
  expect(faults('json', content)).toEqual([fault]);
});

it('JSON with a reserved name or nested too deep is refused', () => {
  expect(faults('json', '{"__proto__": "x"}').join()).toContain('reserved name');
  expect(faults('json', '['.repeat(100)).join()).toContain('deeper');
});

it('a name that stands twice is refused with both places', () => {
  expect(faults('env', 'A=1\n\nA="hunter2\n2"\nA=3')).toEqual([
    'content: line 3: the name stands at line 1 already',
    'content: line 5: the name stands at line 1 already',
  ]);
});

it.each(['a b', 'a/b', 'é', '..', '.', 'x'.repeat(129), 'A:B'])(
  'a name like %p is refused by its place',
  (name) => {
    const content = JSON.stringify({ OK: 'x', [name]: 'hunter2' });
    expect(faults('json', content)).toEqual([
      'content: member 2: the name must have 1 to 128 characters of A-Z a-z 0-9 . _ -',
    ]);
  },
);

it('a value may have 64 KiB of UTF-8 and no byte more', () => {
  const euros = '€'.repeat(Math.floor(MAX_VALUE_BYTES / 3));
  expect(faults('json', JSON.stringify({ A: `${euros}x` }))).toEqual([]);
  expect(faults('json', JSON.stringify({ A: `${euros}xx` }))).toEqual([
    'content: member 1: the value is over 65536 bytes of UTF-8',
  ]);
});

it('a value with a lone surrogate is refused', () => {
  expect(faults('json', '{"A": "\\ud800"}')).toEqual([
    'content: member 1: the value is not well-formed Unicode',
  ]);
});

it('500 secrets are taken, 501 are not, and nothing is no import', () => {
  const file = (count: number) => Array.from({ length: count }, (_, index) => `N${index}=v`).join('\n');
  expect(parseImport('env', file(MAX_IMPORTED_SECRETS))).toHaveLength(500);
  expect(faults('env', file(501))).toEqual(['content: holds 501 secrets, more than the 500 of one import']);
  expect(faults('env', '# nothing\n')).toEqual(['content: holds no secrets']);
  expect(faults('json', '{}')).toEqual(['content: holds no secrets']);
});

it('of very many faults a hundred are told', () => {
  expect(faults('env', 'broken\n'.repeat(5_000))).toHaveLength(100);
});
