import fc from 'fast-check';
import { canonicalJson, canonicalString, type Json } from '../../../core/kernel/canonical-json.ts';
import vectors from '../../vectors/rfc8785.json';

describe('RFC 8785', () => {
  it.each(vectors.documents)('$name', ({ input, canonicalHex }) => {
    expect(Buffer.from(canonicalJson(JSON.parse(input))).toString('hex')).toBe(canonicalHex);
  });

  it.each(vectors.numbers)('writes the double $ieee754 as $text', ({ ieee754, text }) => {
    const number = Buffer.from(ieee754, 'hex').readDoubleBE();
    if (text === null) expect(() => canonicalJson(number)).toThrow(TypeError);
    else expect(canonicalJson(number)).toBe(text);
  });
});

describe('refuses what JSON cannot carry', () => {
  const refused: [string, unknown][] = [
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['undefined', undefined],
    ['a bigint', 1n],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['binary', new Uint8Array(2)],
    ['a boxed string', Object('s')],
    ['a list with holes', new Array(2)],
    ['a lone high surrogate', '\ud800'],
    ['a lone low surrogate', 'a\udc00b'],
    ['surrogates the wrong way round', '\udc00\ud800'],
  ];

  it.each(refused)('%s, also within lists and objects', (_, value) => {
    const unchecked = value as Json;
    for (const wrapped of [unchecked, [unchecked], { member: unchecked }, [{ deep: [unchecked] }]])
      expect(() => canonicalJson(wrapped)).toThrow(TypeError);
  });

  it('a lone surrogate in a name', () => {
    expect(() => canonicalJson({ '\udead': 1 })).toThrow(TypeError);
    expect(() => canonicalString('\ud83d')).toThrow(TypeError);
  });
});

describe('properties', () => {
  const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }) as fc.Arbitrary<Json>;

  it('parses back to what was written, and is the same written again', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        const parsed = JSON.parse(text);
        expect(parsed).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(parsed)).toBe(text);
      }),
    );
  });

  it('does not depend on the order of members', () => {
    const members = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), json), {
      selector: ([key]) => key,
    });
    const twoOrders = members.chain((entries) =>
      fc.tuple(
        fc.constant(entries),
        fc.shuffledSubarray(entries, { minLength: entries.length, maxLength: entries.length }),
      ),
    );
    fc.assert(
      fc.property(twoOrders, ([one, other]) => {
        expect(canonicalJson(Object.fromEntries(one))).toBe(canonicalJson(Object.fromEntries(other)));
      }),
    );
  });

  it('writes no white space outside strings', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value).replaceAll(/"(?:[^"\\]|\\.)*"/gs, '')).not.toMatch(/\s/);
      }),
    );
  });
});
