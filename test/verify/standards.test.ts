import { consistencyProof, inclusionProof } from '../../core/transparency/proofs.ts';
import { includes, isConsistent, leafHash, subtreeWidths, Tree, tilePath } from '../../verify/merkle.js';
import {
  checkSignature,
  NoteError,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
} from '../../verify/note.js';
import { numberedTrees } from '../support/merkle-trees.ts';
import rfc6962 from '../vectors/rfc6962.json';

const buffer = (bytes: Uint8Array) => Buffer.from(bytes);

describe('trees of RFC 6962', () => {
  test('the published roots', () => {
    const tree = new Tree();
    expect(tree.root().toString('hex')).toBe(rfc6962.roots[0]);
    for (const [index, leaf] of rfc6962.leaves.entries()) {
      const hash = leafHash(Buffer.from(leaf, 'hex'));
      expect(hash.toString('hex')).toBe(rfc6962.levels[0]?.[index]);
      tree.add(hash);
      expect(tree.root().toString('hex')).toBe(rfc6962.roots[index + 1]);
    }
  });

  test('proofs of the vault lead from every leaf and every size, and nowhere else', async () => {
    const { leafAt, reader, rootAt } = numberedTrees(20);
    for (let size = 1; size <= 20; size += 1) {
      const root = buffer(rootAt(size));
      for (let index = 0; index < size; index += 1) {
        const proof = (await inclusionProof(reader, index, size)).map(buffer);
        expect(includes(buffer(leafAt(index)), index, size, proof, root)).toBe(true);
        expect(includes(buffer(leafAt(index + 1)), index, size, proof, root)).toBe(false);
        expect(includes(buffer(leafAt(index)), index + 1, size, proof, root)).toBe(false);
        expect(includes(buffer(leafAt(index)), index, size, [...proof, root], root)).toBe(false);
      }
      for (let from = 1; from <= size; from += 1) {
        const proof = (await consistencyProof(reader, from, size)).map(buffer);
        expect(isConsistent(from, buffer(rootAt(from)), size, root, proof)).toBe(true);
        expect(isConsistent(from, buffer(rootAt(from - 1)), size, root, proof)).toBe(false);
        expect(isConsistent(from, buffer(rootAt(from)), size, buffer(rootAt(size - 1)), proof)).toBe(false);
        expect(isConsistent(from, buffer(rootAt(from)), size, root, [...proof, root])).toBe(false);
      }
      expect(isConsistent(0, buffer(rootAt(0)), size, root, [])).toBe(true);
      expect(isConsistent(size, root, size - 1, buffer(rootAt(size - 1)), [])).toBe(false);
    }
  });

  test('subtrees on both sides of a stretch', () => {
    expect(subtreeWidths(0, 11)).toEqual([8, 2, 1]);
    expect(subtreeWidths(5, 16)).toEqual([1, 2, 8]);
    expect(subtreeWidths(3, 3)).toEqual([]);
    expect(subtreeWidths(0, Number.MAX_SAFE_INTEGER)).toHaveLength(53);
  });

  test('the paths of C2SP tlog-tiles', () => {
    expect([tilePath(0, 0), tilePath(2, 999), tilePath('entries', 1_234_067)]).toEqual([
      'tile/0/000',
      'tile/2/999',
      'tile/entries/x001/x234/067',
    ]);
  });
});

describe('notes of C2SP signed-note', () => {
  const KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
  const NOTE =
    'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
  /** The example of Go's golang.org/x/mod/sumdb/note, from which the format comes. */
  const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const PETERS =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  const check = (note: string, ...keys: string[]) =>
    checkSignature(parseNote(Buffer.from(note)), keys.map(parseVerifierKey));

  test('the published examples', () => {
    check(NOTE, KEY);
    check(PETERS, KEY, PETER);
  });

  test('signatures by others are ignored, a wrong one by a known key is not', () => {
    expect(() => check(NOTE, PETER)).toThrow(NoteError);
    const line = NOTE.split('\n')[2];
    check(`${NOTE}— example.org AAAAAAA=\n`, KEY);
    expect(() => check(`${NOTE}${line?.replace('kn8s', 'kn8t')}\n`, KEY)).toThrow(NoteError);
    expect(() => check(NOTE.replace('example m', 'Example m'), KEY)).toThrow(NoteError);
  });

  test.each([
    ['no signature', NOTE.slice(0, NOTE.indexOf('—'))],
    ['no empty line', NOTE.replace('\n\n', '\n')],
    ['no newline at the end', NOTE.slice(0, -1)],
    ['a control character', `\t${NOTE}`],
    ['a hyphen for the dash', NOTE.replace('—', '-')],
    ['base64 with rubbish', NOTE.replace('yaQM=', 'yaQN=')],
    ['a signature without a key id', `${NOTE}— example.com/foo AAAA\n`],
  ])('%s is no note', (_, note) => {
    expect(() => parseNote(Buffer.from(note))).toThrow(NoteError);
  });

  test.each(['\n1\nAAAA\n', 'a\n01\n', 'a\n1\n\n', 'a\n-1\n', 'a\n9007199254740992\n'])(
    '%j is no checkpoint',
    (start) => {
      const hash = Buffer.alloc(32).toString('base64');
      const signature = NOTE.slice(NOTE.indexOf('\n\n'));
      parseCheckpoint(Buffer.from(`a\n1\n${hash}${signature}`));
      expect(() => parseCheckpoint(Buffer.from(`${start}${hash}${signature}`))).toThrow(NoteError);
    },
  );
});
