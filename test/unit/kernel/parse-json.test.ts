import fc from 'fast-check';
import { VaultError } from '../../../core/kernel/errors.ts';
import { parseJson } from '../../../core/kernel/parse-json.ts';

function refusal(text: string): VaultError {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

it('any JSON value comes back as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value);
      if (text.includes('"__proto__":')) return;
      expect(JSON.stringify(parseJson(text))).toBe(text);
    }),
  );
});

it.each([
  ['objects', (depth: number) => '{"a":'.repeat(depth) + 1 + '}'.repeat(depth)],
  ['lists', (depth: number) => '['.repeat(depth) + ']'.repeat(depth)],
  ['both', (depth: number) => '[{"a":'.repeat(depth / 2) + 1 + '}]'.repeat(depth / 2)],
])('32 levels of %s are read and 34 are not', (_, nested) => {
  expect(() => parseJson(nested(32))).not.toThrow();
  expect(refusal(nested(34)).code).toBe('malformed_json');
});

it('brackets within strings are no levels, whatever is escaped there', () => {
  for (const text of ['['.repeat(100), `\\"${'['.repeat(100)}`, `\\\\\\"${'{'.repeat(100)}`])
    expect(() => parseJson(`{"a":"${text}"}`)).not.toThrow();
  expect(refusal(`{"a":"\\\\"${'['.repeat(100)}`).code).toBe('malformed_json');
});

it('a bomb of brackets is refused without a parser being asked', () => {
  expect(refusal('['.repeat(1_000_000)).message).toContain('deeper');
});

it.each(['{"__proto__":{"admin":true}}', '[{"a":{"__proto__":1}}]', '{"\\u005f_proto__":1}'])(
  'a member that could pass for a prototype is refused: %s',
  (text) => {
    expect(refusal(text).code).toBe('malformed_json');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  },
);

it.each(['{"constructor":1}', '{"a":"__proto__"}', '["__proto__"]'])('and %s is not', (text) => {
  expect(JSON.stringify(parseJson(text))).toBe(text);
});

it('what is wrong is told without what was there', () => {
  for (const text of ['{"password": hunter2}', 'hunter2', '{"a":"hunter2', '["hunter2",]', ''])
    expect(refusal(text)).toMatchObject({ code: 'malformed_json', message: 'The body is not valid JSON.' });
});

it('never throws anything but its refusal, nor tells what it read', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (noise) => {
      try {
        parseJson(`{"secret":"hunter2"${noise}`);
      } catch (error) {
        expect(error).toBeInstanceOf(VaultError);
        expect(String(error)).not.toContain('hunter2');
      }
    }),
  );
});
