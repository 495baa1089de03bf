import fc from 'fast-check';
import { checkpointText, openCheckpoint } from '../../../core/transparency/checkpoint.ts';
import { hashToBase64, leafHash } from '../../../core/transparency/merkle.ts';
import { inclusionProof, ProofError, verifyInclusion } from '../../../core/transparency/proofs.ts';
import { noteOf } from '../../../core/transparency/signed-note.ts';
import { formatTlogProof, parseTlogProof, type TlogProof } from '../../../core/transparency/tlog-proof.ts';
import { fromHex, toHex } from '../../support/bytes.ts';
import { levelsReader } from '../../support/merkle-trees.ts';
import { NoteSigner } from '../../support/note-signer.ts';
import vectors from '../../vectors/rfc6962.json';

const ORIGIN = 'log.example/acme';
const SIZE = 7;
const ROOT = fromHex(vectors.roots[SIZE] ?? '');
const SIGNER = new NoteSigner(new Uint8Array(32), ORIGIN);
const TEXT = checkpointText({ origin: ORIGIN, size: SIZE, root: ROOT });
const CHECKPOINT = noteOf(TEXT, [SIGNER.line(TEXT)]);
const READER = levelsReader(vectors.levels.map((level) => level.map(fromHex)));

const readable = ({ extra, hashes, ...rest }: TlogProof) => ({
  ...rest,
  extra: extra && toHex(extra),
  hashes: hashes.map(toHex),
});

it('proves an entry with nothing but the file and the key of the log', async () => {
  for (const [index, entry] of vectors.leaves.slice(0, SIZE).entries()) {
    const hashes = await inclusionProof(READER, index, SIZE);
    const file = formatTlogProof({ extra: fromHex(entry), index, hashes, checkpoint: CHECKPOINT });
    const proof = parseTlogProof(file);
    const { size, root } = openCheckpoint(proof.checkpoint, ORIGIN, [SIGNER.key]);
    verifyInclusion(leafHash(proof.extra ?? new Uint8Array(0)), proof.index, size, proof.hashes, root);
  }
});

it('has the lines of the specification', () => {
  const file = formatTlogProof({
    extra: Buffer.from('extra information'),
    index: 10,
    hashes: [ROOT, ROOT],
    checkpoint: CHECKPOINT,
  });
  const hash = hashToBase64(ROOT);
  expect(file).toBe(
    `c2sp.org/tlog-proof@v1\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex 10\n${hash}\n${hash}\n\n${CHECKPOINT}`,
  );
  const bare = formatTlogProof({ extra: new Uint8Array(0), index: 0, hashes: [], checkpoint: CHECKPOINT });
  expect(bare).toBe(`c2sp.org/tlog-proof@v1\nindex 0\n\n${CHECKPOINT}`);
  expect(parseTlogProof(bare)).toEqual({ index: 0, hashes: [], checkpoint: CHECKPOINT });
});

it('is read back as it was written', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const extra = fc.option(fc.uint8Array({ minLength: 1, maxLength: 500 }), { nil: undefined });
  fc.assert(
    fc.property(extra, fc.maxSafeNat(), fc.array(hash, { maxLength: 63 }), (bytes, index, hashes) => {
      const proof: TlogProof = { ...(bytes && { extra: bytes }), index, hashes, checkpoint: CHECKPOINT };
      expect(readable(parseTlogProof(formatTlogProof(proof)))).toEqual(readable(proof));
    }),
  );
});

it('has room for the longest row and proof', () => {
  const hashes = Array.from({ length: 63 }, () => ROOT);
  const largest = { extra: new Uint8Array(65_535), index: 0, hashes, checkpoint: CHECKPOINT };
  expect(parseTlogProof(formatTlogProof(largest)).extra).toHaveLength(65_535);
  expect(() => formatTlogProof({ ...largest, hashes: [...hashes, ROOT] })).toThrow(ProofError);
  expect(() => formatTlogProof({ ...largest, extra: new Uint8Array(200_000) })).toThrow(ProofError);
});

it.each<[string, Partial<TlogProof>]>([
  ['a negative index', { index: -1 }],
  ['a fraction for an index', { index: 0.5 }],
  ['an index of 2^53', { index: 2 ** 53 }],
  ['a short hash', { hashes: [ROOT.subarray(1)] }],
  ['an empty hash', { hashes: [new Uint8Array(0)] }],
  ['no checkpoint', { checkpoint: '' }],
  ['an unsigned checkpoint', { checkpoint: TEXT }],
  ['a note that is no checkpoint', { checkpoint: noteOf('text\n', [SIGNER.line('text\n')]) }],
])('is not written with %s', (_, part) => {
  const proof = { index: 1, hashes: [ROOT], checkpoint: CHECKPOINT, ...part };
  expect(() => formatTlogProof(proof)).toThrow(ProofError);
});

describe('a file is refused', () => {
  const head = 'c2sp.org/tlog-proof@v1\n';
  const hash = `${hashToBase64(ROOT)}\n`;
  const sound = `${head}extra QQ==\nindex 1\n${hash}\n${CHECKPOINT}`;

  it.each([
    ['that is empty', ''],
    ['of another version', sound.replace('@v1', '@v2')],
    ['with a line before the first', `\n${sound}`],
    ['without an index', sound.replace('index 1\n', '')],
    ['with two indexes', sound.replace('index 1\n', 'index 1\nindex 1\n')],
    ['with the extra data behind the index', `${head}index 1\nextra QQ==\n${hash}\n${CHECKPOINT}`],
    ['with two lines of extra data', sound.replace('extra QQ==\n', 'extra QQ==\nextra QQ==\n')],
    ['with empty extra data', sound.replace('QQ==', '')],
    ['with extra data that is not canonical', sound.replace('QQ==', 'QR==')],
    ['with extra data without padding', sound.replace('QQ==', 'QQ')],
    ['with a leading zero', sound.replace('index 1', 'index 01')],
    ['with a negative index', sound.replace('index 1', 'index -1')],
    ['with an index of 2^53', sound.replace('index 1', 'index 9007199254740992')],
    ['with two spaces', sound.replace('index 1', 'index  1')],
    ['with a hash that is not canonical', sound.replace('=\n\nlog', '\n\nlog')],
    ['with a hash of 31 bytes', sound.replace(hash, `${Buffer.alloc(31).toString('base64')}\n`)],
    ['with carriage returns', sound.replaceAll('\n', '\r\n')],
    ['without the empty line', sound.replace('\n\nlog', '\nlog')],
    ['with two empty lines', sound.replace('\n\nlog', '\n\n\nlog')],
    ['without the checkpoint', `${head}index 1\n${hash}\n`],
    ['that was cut', sound.slice(0, -1)],
  ])('%s', (_, file) => {
    expect(() => parseTlogProof(sound)).not.toThrow();
    expect(file).not.toBe(sound);
    expect(() => parseTlogProof(file)).toThrow(ProofError);
  });
});
