import { z } from 'zod';
import { canonicalJson } from '../../../core/kernel/canonical-json.ts';
import {
  check,
  create,
  type Entity,
  entityDigest,
  entityJson,
  type Kind,
  listPosition,
  REMOVED_DIGEST,
  remove,
  update,
} from '../../../core/kernel/entity.ts';
import vectors from '../../vectors/digests-v1.json';

const noteSchema = z.strictObject({
  kind: z.literal('note'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int(),
  text: z.string(),
  blob: z.instanceof(Uint8Array).optional(),
  label: z.string().optional(),
});
type Note = z.infer<typeof noteSchema>;
const noteKind: Kind<Note> = {
  name: 'note',
  schema: noteSchema,
  listing: (note) => ({ list: `${note.workspaceId}#notes`, key: note.text }),
};

const first = create(noteKind, { workspaceId: 'ws_1', id: 'n1', text: 'one', label: 'red' }).entity;

describe('changes', () => {
  it('create: the first revision, where there was none', () => {
    expect(create(noteKind, { workspaceId: 'ws_1', id: 'n1', text: 'one' })).toEqual({
      op: 'put',
      kind: noteKind,
      entity: { kind: 'note', workspaceId: 'ws_1', id: 'n1', revision: 1, text: 'one' },
      expect: 'absent',
    });
  });

  it('update: the next revision, where the one read still stands', () => {
    expect(update(noteKind, first, { text: 'two' })).toEqual({
      op: 'put',
      kind: noteKind,
      entity: { kind: 'note', workspaceId: 'ws_1', id: 'n1', revision: 2, text: 'two', label: 'red' },
      expect: 1,
    });
    expect(first).toMatchObject({ revision: 1, text: 'one' });
  });

  it('update: undefined drops a field, so that the digest does not trip over it', () => {
    const { entity } = update(noteKind, first, { label: undefined });
    expect(Object.keys(entity).sort()).toEqual(['id', 'kind', 'revision', 'text', 'workspaceId']);
    expect(entityDigest(entity)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('remove and check: expect the revision that was read', () => {
    const second = update(noteKind, first, { text: 'two' }).entity;
    expect(remove(noteKind, second)).toEqual({ op: 'remove', kind: noteKind, entity: second, expect: 2 });
    expect(check(noteKind, second)).toEqual({ op: 'check', kind: noteKind, entity: second, expect: 2 });
  });

  it('what they make fits the schema', () => {
    expect(noteSchema.parse(update(noteKind, first, { blob: new Uint8Array(3) }).entity)).toMatchObject({
      revision: 2,
    });
  });
});

describe('digests', () => {
  it.each(vectors.entities)('frozen: $name', ({ entity, canonical, digest }) => {
    const decoded = withBinary(entity);
    expect(canonicalJson(entityJson(decoded))).toBe(canonical);
    expect(entityDigest(decoded)).toBe(digest);
  });

  it('do not tell a Buffer from other binary, nor the order of fields', () => {
    const bytes = [0, 255, 128];
    const one = { ...first, blob: Uint8Array.from(bytes) };
    const other = Object.fromEntries(Object.entries({ ...first, blob: Buffer.from(bytes) }).reverse());
    expect(entityDigest(other as unknown as Entity)).toBe(entityDigest(one));
  });

  it.each<Partial<Note>>([
    { kind: 'nota' as 'note' },
    { workspaceId: 'ws_2' },
    { id: 'n2' },
    { revision: 2 },
    { text: 'One' },
    { blob: new Uint8Array(0) },
  ])('change with any field: %j', (other) => {
    expect(entityDigest({ ...first, ...other })).not.toBe(entityDigest(first));
  });

  it('the mark of a removal is no digest that an entity could have by chance: 64 zeros', () => {
    expect(REMOVED_DIGEST).toMatch(/^0{64}$/);
  });

  it('refuse a field that is undefined, rather than hash as if it were not there', () => {
    const entity = { ...first, label: undefined } as unknown as Entity;
    expect(() => entityDigest(entity)).toThrow(TypeError);
  });
});

it('the position in a list is the key, the workspace and the id, on a line each', () => {
  expect(listPosition(noteKind, first)).toBe('one\nws_1\nn1');
});

/** The vectors write a binary field as `{"hex": ...}`. */
function withBinary(entity: object): Entity {
  const decode = (value: unknown): unknown => {
    const hex = typeof value === 'object' && value !== null && 'hex' in value ? value.hex : undefined;
    return typeof hex === 'string' ? Uint8Array.from(Buffer.from(hex, 'hex')) : value;
  };
  const fields = Object.entries(entity).map(([key, value]) => [key, decode(value)]);
  return Object.fromEntries(fields);
}
