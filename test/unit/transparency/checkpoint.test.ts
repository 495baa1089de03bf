import fc from 'fast-check';
import {
  type Checkpoint,
  checkpointText,
  openCheckpoint,
  parseCheckpoint,
} from '../../../core/transparency/checkpoint.ts';
import { EMPTY_ROOT, HashFormatError, hashToBase64 } from '../../../core/transparency/merkle.ts';
import { NoteError, noteOf, parseVerifierKey } from '../../../core/transparency/signed-note.ts';
import { toHex } from '../../support/bytes.ts';
import { NoteSigner } from '../../support/note-signer.ts';
import vectors from '../../vectors/signed-notes.json';

const ORIGIN = 'log.example/acme';
const ROOT = hashToBase64(EMPTY_ROOT);
const readable = ({ origin, size, root }: Checkpoint) => ({ origin, size, root: hashToBase64(root) });

describe('a published checkpoint', () => {
  const { note, origin, size, root, key } = vectors.checkpoint;
  const keys = [parseVerifierKey(key)];

  it('is opened', () => {
    const checkpoint = openCheckpoint(note, origin, keys);
    expect(readable(checkpoint)).toEqual({ origin, size, root });
    expect(note.startsWith(`${checkpointText(checkpoint)}\n`)).toBe(true);
  });

  it('is refused for another log, with another size and under another key', () => {
    const stranger = new NoteSigner(new Uint8Array(32), origin).key;
    expect(() => openCheckpoint(note, ORIGIN, keys)).toThrow('of another log');
    expect(() => openCheckpoint(note.replace(`${size}`, `${size + 1}`), origin, keys)).toThrow(NoteError);
    expect(() => openCheckpoint(note, origin, [stranger])).toThrow('no signature of a trusted key');
  });
});

it('a signed text that is no checkpoint is refused', () => {
  const signer = new NoteSigner(new Uint8Array(32), ORIGIN);
  const text = `${ORIGIN}\nno size\n${ROOT}\n`;
  const note = noteOf(text, [signer.line(text)]);
  expect(() => openCheckpoint(note, ORIGIN, [signer.key])).toThrow(NoteError);
});

describe('the text of a checkpoint', () => {
  const origins = fc.stringMatching(/^[a-z0-9./ è+-]{1,40}$/);
  const roots = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(origins, fc.maxSafeNat(), roots, (origin, size, root) => {
        const parsed = parseCheckpoint(checkpointText({ origin, size, root }));
        expect(readable(parsed)).toEqual(readable({ origin, size, root }));
      }),
    );
  });

  it('may have lines of extension, which say nothing', () => {
    const checkpoint = parseCheckpoint(`a\n0\n${ROOT}\nmore\nand more\n`);
    expect(readable(checkpoint)).toEqual({ origin: 'a', size: 0, root: ROOT });
  });

  it.each([
    ['nothing', ''],
    ['two lines', 'a\n1\n'],
    ['no newline at its end', `a\n1\n${ROOT}`],
    ['an empty origin', `\n1\n${ROOT}\n`],
    ['an empty line of extension', `a\n1\n${ROOT}\n\nmore\n`],
    ['an empty line at its end', `a\n1\n${ROOT}\n\n`],
    ['a leading zero', `a\n01\n${ROOT}\n`],
    ['a plus sign', `a\n+1\n${ROOT}\n`],
    ['a negative size', `a\n-1\n${ROOT}\n`],
    ['a fraction', `a\n1.0\n${ROOT}\n`],
    ['an exponent', `a\n1e3\n${ROOT}\n`],
    ['a hexadecimal size', `a\n0x1\n${ROOT}\n`],
    ['a space before the size', `a\n 1\n${ROOT}\n`],
    ['other digits', `a\n\u0661\n${ROOT}\n`],
    ['a size of 2^53', `a\n9007199254740992\n${ROOT}\n`],
    ['a size of twenty digits', `a\n18446744073709551615\n${ROOT}\n`],
    ['a root that is not canonical', `a\n1\n${ROOT.replace('U=', 'V=')}\n`],
    ['a root in hex', `a\n1\n${toHex(EMPTY_ROOT)}\n`],
    ['carriage returns', `a\r\n1\r\n${ROOT}\r\n`],
  ])('is refused with %s', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(NoteError);
  });

  it.each<[Partial<Checkpoint>, typeof NoteError | typeof HashFormatError]>([
    [{ origin: '' }, NoteError],
    [{ origin: 'a\n2' }, NoteError],
    [{ size: -1 }, NoteError],
    [{ size: 0.5 }, NoteError],
    [{ size: 2 ** 53 }, NoteError],
    [{ root: new Uint8Array(31) }, HashFormatError],
  ])('is not written with %o', (part, error) => {
    expect(() => checkpointText({ origin: 'a', size: 1, root: EMPTY_ROOT, ...part })).toThrow(error);
  });
});
