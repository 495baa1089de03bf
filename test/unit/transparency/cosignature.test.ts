import { checkpointText } from '../../../core/transparency/checkpoint.ts';
import {
  cosignatureBytes,
  cosignedMessage,
  verifyCosignature,
} from '../../../core/transparency/cosignature.ts';
import { EMPTY_ROOT } from '../../../core/transparency/merkle.ts';
import {
  NoteError,
  noteOf,
  parseVerifierKey,
  signatureLine,
} from '../../../core/transparency/signed-note.ts';
import { flipBit } from '../../support/bytes.ts';
import { NoteSigner } from '../../support/note-signer.ts';
import vectors from '../../vectors/signed-notes.json';

const TEXT = checkpointText({ origin: 'log.example/acme', size: 0, root: EMPTY_ROOT });
const LOG_LINE = '— log.example/acme AAAAAAE=\n';
const SECONDS = 1_679_315_147;

class Witness extends NoteSigner {
  constructor(seed = 1) {
    super(new Uint8Array(32).fill(seed), 'witness.example/w1', 4);
  }

  cosignature(seconds: number, text = TEXT): Uint8Array {
    return cosignatureBytes(seconds, this.sign(cosignedMessage(text, seconds)));
  }

  cosign(seconds: number, text = TEXT): string {
    return signatureLine(this.key, this.cosignature(seconds, text));
  }
}

describe('the cosignatures of public witnesses', () => {
  const { note, seconds, size, witnesses } = vectors.checkpoint;

  it.each(witnesses)('%s', (text) => {
    const key = parseVerifierKey(text);
    expect(key.type).toBe(4);
    expect(verifyCosignature(note, key)).toBe(seconds);
    expect(() => verifyCosignature(note.replace(`${size}`, `${size + 1}`), key)).toThrow(NoteError);
  });
});

it('the cosigned message is that of the specification', () => {
  const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
  expect(Buffer.from(cosignedMessage(text, SECONDS)).toString()).toBe(
    `cosignature/v1\ntime 1679315147\n${text}`,
  );
});

describe('a cosignature', () => {
  const witness = new Witness();

  it('says when the witness saw the checkpoint', () => {
    expect(verifyCosignature(noteOf(TEXT, [LOG_LINE, witness.cosign(SECONDS)]), witness.key)).toBe(SECONDS);
    expect(verifyCosignature(noteOf(TEXT, [witness.cosign(0)]), witness.key)).toBe(0);
    const latest = Number.MAX_SAFE_INTEGER;
    const twice = noteOf(TEXT, [witness.cosign(latest), witness.cosign(SECONDS)]);
    expect(verifyCosignature(twice, witness.key)).toBe(latest);
  });

  it('of nobody, of another witness or for another type of key is none of this one', () => {
    const note = noteOf(TEXT, [LOG_LINE, new Witness(2).cosign(SECONDS)]);
    expect(() => verifyCosignature(note, witness.key)).toThrow('no cosignature');
    const cosigned = noteOf(TEXT, [witness.cosign(SECONDS)]);
    expect(() => verifyCosignature(cosigned, { ...witness.key, type: 1 })).toThrow('no cosignature');
  });

  it('with a bit of any byte of time or signature changed is refused', () => {
    const sound = witness.cosignature(SECONDS);
    for (let bit = 0; bit < 8 * sound.length; bit += 7) {
      const note = noteOf(TEXT, [signatureLine(witness.key, flipBit(sound, bit))]);
      expect(() => verifyCosignature(note, witness.key)).toThrow(NoteError);
    }
  });

  it('of another text is refused, even beside a sound one', () => {
    const other = witness.cosign(SECONDS, TEXT.replace('\n0\n', '\n1\n'));
    expect(() => verifyCosignature(noteOf(TEXT, [other]), witness.key)).toThrow(NoteError);
    const both = noteOf(TEXT, [witness.cosign(SECONDS), other]);
    expect(() => verifyCosignature(both, witness.key)).toThrow(NoteError);
  });

  it('without a time, or of a text that is no checkpoint, is refused', () => {
    const bare = `${Buffer.concat([witness.key.keyId, witness.sign(TEXT)]).toString('base64')}`;
    const note = noteOf(TEXT, [`— ${witness.key.name} ${bare}\n`]);
    expect(() => verifyCosignature(note, witness.key)).toThrow(NoteError);
    const text = 'no checkpoint\n';
    expect(() => verifyCosignature(noteOf(text, [witness.cosign(SECONDS, text)]), witness.key)).toThrow(
      NoteError,
    );
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])('has no time %d', (seconds) => {
    expect(() => cosignedMessage(TEXT, seconds)).toThrow(NoteError);
    expect(() => cosignatureBytes(seconds, new Uint8Array(64))).toThrow(NoteError);
  });

  it('holds a signature of 64 bytes', () => {
    expect(() => cosignatureBytes(SECONDS, new Uint8Array(63))).toThrow(NoteError);
  });
});
