import { readExportedItem } from '../../../aws/dynamo-json.ts';

test('an item of an export is the item that was in the table', () => {
  const line =
    '{"Item":{"pk":{"S":"x"},"n":{"N":"1.50"},"b":{"B":"AP8="},"l":{"L":[{"B":"AQ=="},{"BOOL":true}]},"m":{"M":{"e":{"NULL":true}}},"s":{"BS":["Ag=="]}}}';
  expect(readExportedItem(line)).toEqual({
    pk: { S: 'x' },
    n: { N: '1.50' },
    b: { B: Uint8Array.of(0, 255) },
    l: { L: [{ B: Uint8Array.of(1) }, { BOOL: true }] },
    m: { M: { e: { NULL: true } } },
    s: { BS: [Uint8Array.of(2)] },
  });
});

test.each(['', 'x', '{}', '{"Item":{"pk":"x"}}', '{"Item":{"pk":{"X":"x"}}}', '{"Item":{"b":{"B":"?"}}}'])(
  'the line %j is none',
  (line) => {
    expect(readExportedItem(line)).toBeUndefined();
  },
);
