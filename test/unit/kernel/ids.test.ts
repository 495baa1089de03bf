import { isId, newId, PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { SeededRandom } from '../../support/random.ts';

const ID = `sec_${'0123456789abcdef'.repeat(2)}`;

it.each(['ws', 'sec', 'key'] as const)(
  'a new id is %s_ and 16 bytes in hex, and passes its own test',
  (prefix) => {
    const random = new SeededRandom(1);
    const ids = Array.from({ length: 100 }, () => newId(prefix, random));
    for (const id of ids) {
      expect(id).toMatch(new RegExp(`^${prefix}_[0-9a-f]{32}$`));
      expect(isId(prefix, id)).toBe(true);
    }
    expect(new Set(ids).size).toBe(ids.length);
  },
);

it('takes all of its bytes from the random source', () => {
  const asked: number[] = [];
  const id = newId('ws', {
    bytes: (size) => {
      asked.push(size);
      return Uint8Array.from({ length: size }, (_, index) => 0xf0 + index);
    },
  });
  expect(asked).toEqual([16]);
  expect(id).toBe('ws_f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
});

it.each([
  '',
  'sec_',
  ID.slice(0, -1),
  `${ID}0`,
  `${ID}\n`,
  ` ${ID}`,
  ID.toUpperCase(),
  ID.replace('sec', 'ws'),
  ID.replace('_', '-'),
  ID.replace('0', 'g'),
  ID.replace('0', '٠'),
])('refuses %j', (text) => {
  expect(isId('sec', text)).toBe(false);
});

it('no tenant can be named like the platform', () => {
  expect(isId('ws', PLATFORM_WORKSPACE)).toBe(false);
});
