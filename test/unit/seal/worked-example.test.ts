import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { manifestNoteText } from '../../../core/archive/manifest.ts';
import { checkpointText } from '../../../core/transparency/checkpoint.ts';
import { cosignatureBytes, cosignedMessage } from '../../../core/transparency/cosignature.ts';
import {
  appendLeaves,
  EMPTY_FRONTIER,
  frontierRoot,
  hashToBase64,
  hashToHex,
  leafHash,
} from '../../../core/transparency/merkle.ts';
import { consistencyProof } from '../../../core/transparency/proofs.ts';
import { formatVerifierKey, noteOf, signatureLine } from '../../../core/transparency/signed-note.ts';
import { encodeEntries, tileNodeReader } from '../../../core/transparency/tiles.ts';
import { NoteSigner } from '../../support/note-signer.ts';

/** Section 18 of the specification: whoever writes a verifier checks it by these figures, so they have to be right. */
const section = readFileSync('docs/audit-format.md', 'utf8').split('## 18. A worked example')[1] ?? '';

interface VectorRow {
  readonly utf8: string;
  readonly size: number;
  readonly hash: string;
  readonly row: { readonly ws: string; readonly lane: number; readonly seq: number };
}
const { rows: vectors } = JSON.parse(readFileSync('test/vectors/rows-v1.json', 'utf8')) as {
  rows: VectorRow[];
};
const rows = [0, 1, 2, 4].map((at) => vectors[at] as VectorRow);
const bytes = rows.map(({ utf8 }) => Buffer.from(utf8));
const leaves = bytes.map(leafHash);
const origin = `vault.example.com/${rows[0]?.row.ws}`;

/** The secret keys of RFC 8032 section 7.1, tests 1 and 2. */
const log = new NoteSigner(
  Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'),
  origin,
);
const witness = new NoteSigner(
  Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex'),
  'witness.example.com/w1',
  4,
);

const rootOf = (size: number) => frontierRoot(appendLeaves(EMPTY_FRONTIER, leaves.slice(0, size)));
const textOf = (size: number) => checkpointText({ origin, size, root: rootOf(size) });
const sealOf = (size: number) => noteOf(textOf(size), [log.line(textOf(size))]);
/** A text as the page shows it, four spaces before each line. */
const shown = (text: string) => text.trimEnd().replaceAll(/^(?=.)/gm, '    ');

describe('the worked example of the specification', () => {
  it('gives the verifier keys', () => {
    expect(section).toContain(formatVerifierKey(log.key));
    expect(section).toContain(formatVerifierKey(witness.key));
  });

  it('gives the rows by leaf, and the roots', () => {
    for (const [index, { row, size, hash: rowHash }] of rows.entries()) {
      const line = `${index}  ${row.lane}-${row.seq}  ${String(size).padStart(4)}  ${rowHash}`;
      expect(section).toContain(line);
      expect(section).toContain(hashToHex(rootOf(index + 1)));
    }
  });

  it('gives both seals and the cosignature', () => {
    expect(section).toContain(shown(sealOf(3)));
    const seconds = 1_772_355_960;
    const signature = witness.sign(cosignedMessage(textOf(4), seconds));
    const cosignature = signatureLine(witness.key, cosignatureBytes(seconds, signature));
    expect(section).toContain(shown(`${sealOf(4)}${cosignature}`));
  });

  it('gives the consistency proof, and the files of the log by their hashes', async () => {
    const reader = tileNodeReader(async () => Buffer.concat(leaves), 4);
    const hashes = (await consistencyProof(reader, 3, 4)).map(hashToBase64);
    expect(section).toContain(JSON.stringify({ from: 3, hashes, to: 4 }));
    for (const size of [3, 4]) {
      const files = [
        [`tile/0/000.p/${size}`, Buffer.concat(leaves.slice(0, size))],
        [`tile/entries/000.p/${size}`, encodeEntries(bytes.slice(0, size))],
        [`seals/000000000000000${size}`, Buffer.from(sealOf(size))],
      ] as const;
      for (const [name, content] of files) {
        expect(section).toContain(`${content.length}  ${hash('sha256', content, 'hex')}  ${name}`);
      }
    }
  });

  it('gives the manifest and its signed note', () => {
    const [, ...lines] = /\n( {4}\{"checkpoints":\[\n(?: {4}.*\n)*)/.exec(section) ?? [];
    const manifest = (lines[0] ?? '').replaceAll(/^ {4}|\n/gm, '');
    expect(manifest).toHaveLength(1_581);
    const text = manifestNoteText(origin, '2026-03-01', Buffer.from(manifest));
    const note = noteOf(text, [log.line(text)]);
    expect(section).toContain(shown(note));
  });
});
