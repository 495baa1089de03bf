import fc from 'fast-check';
import {
  formatVerifierKey,
  NoteError,
  noteOf,
  openNote,
  parseNote,
  parseVerifierKey,
  signatureLine,
  verifierKey,
} from '../../../core/transparency/signed-note.ts';
import { flipBit, fromHex, toHex } from '../../support/bytes.ts';
import { NoteSigner } from '../../support/note-signer.ts';
import vectors from '../../vectors/signed-notes.json';

const NAME = 'log.example/acme';
const TEXT = 'first\n\nthird\n';
const LINE = '— a AAAAAAE=\n';

const signer = (seed: number, name = NAME): NoteSigner => new NoteSigner(new Uint8Array(32).fill(seed), name);

describe('published notes', () => {
  it.each(vectors.notes)('$name', ({ text, note, keys }) => {
    const trusted = keys.map(parseVerifierKey);
    expect(trusted.map(formatVerifierKey)).toEqual(keys);
    expect(openNote(note, trusted)).toEqual({ text, by: trusted });
    for (const key of trusted) expect(openNote(note, [key])).toEqual({ text, by: [key] });
  });

  it.each(vectors.signers)('of $name are signed here with the same result', (published) => {
    const { key, ...signing } = new NoteSigner(fromHex(published.seed), published.name);
    expect(formatVerifierKey(key)).toBe(published.verifierKey);
    expect(signing.line(published.text)).toBe(published.line);
  });
});

describe('a note', () => {
  it('is opened by the keys that signed it, each named once, and by no other', () => {
    const [first, second, other] = [signer(1), signer(2), signer(3)];
    const note = noteOf(TEXT, [second.line(TEXT), first.line(TEXT), second.line(TEXT)]);
    expect(openNote(note, [first.key, second.key, other.key])).toEqual({
      text: TEXT,
      by: [second.key, first.key],
    });
    expect(() => openNote(note, [other.key])).toThrow(NoteError);
    expect(() => openNote(note, [])).toThrow(NoteError);
  });

  it('is spoilt by one bad signature of a known key, wherever it stands', () => {
    const [good, bad] = [signer(1), signer(2)];
    const badLine = bad.line('another text\n');
    for (const lines of [
      [good.line(TEXT), badLine],
      [badLine, good.line(TEXT)],
      [bad.line(TEXT), badLine],
    ]) {
      expect(() => openNote(noteOf(TEXT, lines), [good.key, bad.key])).toThrow(NoteError);
    }
    expect(openNote(noteOf(TEXT, [badLine, good.line(TEXT)]), [good.key]).by).toEqual([good.key]);
  });

  it('ignores a signature that shares only the name or only the key id with a known key', () => {
    const [known, namesake, another] = [signer(1), signer(2), signer(1, 'log.example/b')];
    const sameId = signatureLine({ ...another.key, keyId: known.key.keyId }, new Uint8Array(64));
    const strangers = [namesake.line('no text\n'), sameId];
    expect(openNote(noteOf(TEXT, [...strangers, known.line(TEXT)]), [known.key]).by).toEqual([known.key]);
    expect(() => openNote(noteOf(TEXT, strangers), [known.key])).toThrow(NoteError);
  });

  it('does not take a cosignature key for one that signs texts', () => {
    const { key, ...signing } = signer(1);
    const note = noteOf(TEXT, [signing.line(TEXT)]);
    expect(() => openNote(note, [{ ...key, type: 4 }])).toThrow(NoteError);
  });

  it('with a bit of any byte of the text or of the signature changed is refused', () => {
    const { key, ...signing } = signer(1);
    const [text, signature] = [Buffer.from(TEXT), signing.sign(TEXT)];
    const line = signatureLine(key, signature);
    for (let bit = 0; bit < 8 * text.length; bit += 7) {
      const changed = `${Buffer.from(flipBit(text, bit)).toString('latin1')}\n${line}`;
      expect(() => openNote(changed, [key])).toThrow(NoteError);
    }
    for (let bit = 0; bit < 8 * signature.length; bit += 7) {
      const changed = noteOf(TEXT, [signatureLine(key, flipBit(signature, bit))]);
      expect(() => openNote(changed, [key])).toThrow(NoteError);
    }
  });

  it('with a signature of another length is refused', () => {
    const { key } = signer(1);
    const line = `— ${NAME} ${Buffer.concat([key.keyId, Buffer.alloc(63)]).toString('base64')}\n`;
    expect(() => openNote(noteOf(TEXT, [line]), [key])).toThrow(NoteError);
  });
});

describe('the form of a note', () => {
  it('divides at the last empty line', () => {
    const signature = { name: 'a', keyId: Buffer.alloc(4), signature: Buffer.from([1]) };
    expect(parseNote(`one\n\n— b AAAAAAE=\n\n${LINE}`)).toEqual({
      text: 'one\n\n— b AAAAAAE=\n',
      signatures: [signature],
    });
    expect(parseNote(`\n\n${LINE}`).text).toBe('\n');
    expect(parseNote(`one\n\n\n${LINE}`).text).toBe('one\n\n');
    expect(parseNote(`è subito sera\n\n${LINE}${LINE}`).signatures).toEqual([signature, signature]);
  });

  it.each([
    ['nothing', ''],
    ['no signature', 'text\n'],
    ['no signature after the empty line', 'text\n\n'],
    ['no text', LINE],
    ['no text but an empty line', `\n${LINE}`],
    ['no empty line', `text\n${LINE}`],
    ['no newline at its end', `text\n\n${LINE.slice(0, -1)}`],
    ['a newline too many', `text\n\n${LINE}\n`],
    ['a carriage return', `text\r\n\n${LINE}`],
    ['a tab', `te\txt\n\n${LINE}`],
    ['a null', `te\0xt\n\n${LINE}`],
    ['half a surrogate pair', `te\ud800xt\n\n${LINE}`],
    ['a hyphen for the em dash', 'text\n\n- a AAAAAAE=\n'],
    ['an en dash for the em dash', 'text\n\n– a AAAAAAE=\n'],
    ['text between the signatures', `text\n\n${LINE}text\n${LINE}`],
    ['no key name', 'text\n\n—  AAAAAAE=\n'],
    ['no key name and one space', 'text\n\n— AAAAAAE=\n'],
    ['a plus in the key name', 'text\n\n— a+b AAAAAAE=\n'],
    ['a wide space in the key name', 'text\n\n— a\u3000b AAAAAAE=\n'],
    ['a next-line character in the key name', 'text\n\n— a\u0085b AAAAAAE=\n'],
    ['a space behind the signature', 'text\n\n— a AAAAAAE= \n'],
    ['no signature bytes', 'text\n\n— a AAAAAA==\n'],
    ['unpadded base64', 'text\n\n— a AAAAAAE\n'],
    ['base64 with unused bits set', 'text\n\n— a AAAAAAF=\n'],
    ['base64 of URLs', 'text\n\n— a AAAAAA-_\n'],
  ])('is refused with %s', (_, note) => {
    expect(() => parseNote(note)).toThrow(NoteError);
  });

  it('has room for 100 signatures and 65,536 bytes', () => {
    expect(parseNote(`text\n\n${LINE.repeat(100)}`).signatures).toHaveLength(100);
    expect(() => parseNote(`text\n\n${LINE.repeat(101)}`)).toThrow(NoteError);
    const rest = `\n\n${LINE}`;
    const room = 65_536 - Buffer.byteLength(rest);
    expect(parseNote(`${'x'.repeat(room)}${rest}`).text).toHaveLength(room + 1);
    expect(() => parseNote(`${'x'.repeat(room + 1)}${rest}`)).toThrow(NoteError);
    expect(() => parseNote(`${'è'.repeat(room / 2 + 1)}${rest}`)).toThrow(NoteError);
  });

  it.each([
    ['a text without a newline at its end', 'text', [LINE]],
    ['no lines', 'text\n', []],
    ['half a line', 'text\n', [LINE.slice(0, -1)]],
    ['two lines in one', 'text\n', [`${LINE}${LINE}`]],
    ['a line that brings a text', 'text\n', [`more\n\n${LINE}`]],
    ['an empty line', 'text\n', ['\n', LINE]],
  ])('is not made of %s', (_, text, lines) => {
    expect(() => noteOf(text, lines)).toThrow(NoteError);
  });
});

describe('a verifier key', () => {
  const publicKey = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const name = fc.stringMatching(/^[a-z0-9./è-]{1,40}$/);

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(name, publicKey, fc.constantFrom(1 as const, 4 as const), (keyName, bytes, type) => {
        const key = verifierKey(keyName, bytes, type);
        const parsed = parseVerifierKey(formatVerifierKey(key));
        expect(parsed).toMatchObject({ name: keyName, type });
        expect([toHex(parsed.keyId), toHex(parsed.publicKey)]).toEqual([toHex(key.keyId), toHex(bytes)]);
      }),
    );
  });

  it('has another key id for another name, type or key', () => {
    const bytes = new Uint8Array(32);
    const keys = [
      verifierKey('a', bytes),
      verifierKey('b', bytes),
      verifierKey('a', bytes, 4),
      verifierKey('a', flipBit(bytes, 0)),
    ];
    expect(new Set(keys.map(({ keyId }) => toHex(keyId))).size).toBe(4);
  });

  const sound = formatVerifierKey(verifierKey('a', new Uint8Array(32)));
  const [, keyId = '', material = ''] = sound.split('+');
  const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString('base64');
  it.each([
    ['nothing', ''],
    ['two parts', `a+${keyId}`],
    ['no name', `+${keyId}+${material}`],
    ['another name', `b+${keyId}+${material}`],
    ['a space in the name', `a b+${keyId}+${material}`],
    ['another key id', `a+00000000+${material}`],
    ['a key id in upper case', `a+${keyId.toUpperCase()}+${material}`],
    ['a short key id', `a+${keyId.slice(1)}+${material}`],
    ['another key', `a+${keyId}+${base64(1, ...new Uint8Array(31), 1)}`],
    ['a short key', `a+${keyId}+${base64(1, ...new Uint8Array(31))}`],
    ['a long key', `a+${keyId}+${base64(1, ...new Uint8Array(33))}`],
    ['another type', `a+${keyId}+${base64(2, ...new Uint8Array(32))}`],
    ['no type', `a+${keyId}+`],
    ['a newline behind', `${sound}\n`],
    ['a line before', `x\n${sound}`],
    ['base64 of URLs', `a+${keyId}+_${material.slice(1)}`],
    ['base64 with a space', `a+${keyId}+ ${material}`],
  ])('is refused with %s', (_, text) => {
    expect(text).not.toBe(sound);
    expect(() => parseVerifierKey(text)).toThrow(NoteError);
  });

  it.each(['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u0000b', 'a\ud800b'])('has no name %j', (bad) => {
    expect(() => verifierKey(bad, new Uint8Array(32))).toThrow(NoteError);
  });

  it('has 32 bytes of key and makes lines of 64 or 72 bytes', () => {
    expect(() => verifierKey('a', new Uint8Array(31))).toThrow(NoteError);
    const log = verifierKey('a', new Uint8Array(32));
    const witness = verifierKey('a', new Uint8Array(32), 4);
    expect(() => signatureLine(log, new Uint8Array(72))).toThrow(NoteError);
    expect(() => signatureLine(witness, new Uint8Array(64))).toThrow(NoteError);
    expect(parseNote(noteOf('t\n', [signatureLine(witness, new Uint8Array(72))])).signatures).toHaveLength(1);
  });
});
