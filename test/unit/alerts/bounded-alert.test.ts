import { clip } from '../../../core/alerts/bounded-alert.ts';

it.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['ab🔑d', 4, 'ab…'],
  ['a🔑cd', 4, 'a🔑…'],
])('%j, cut at %d, is %j', (text, maximum, cut) => {
  expect(clip(text, maximum)).toBe(cut);
});
