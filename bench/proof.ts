import { generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import {
  appendLeaves,
  EMPTY_FRONTIER,
  frontierRoot,
  type Hash,
  nodeHash,
} from '../core/transparency/merkle.ts';
import { inclusionProof, type NodeId, verifyInclusion } from '../core/transparency/proofs.ts';
import { compare, type Line, ratio } from './support/measure.ts';

const LEAVES = 1_000_000;
const ROUNDS = 1_000;

/** An inclusion proof in a tree of a million rows: its size, and what it takes to verify, against one Ed25519 signature. */
export async function benchProof(): Promise<Line[]> {
  const leaves = Array.from({ length: LEAVES }, (_, at) => hash('sha256', String(at), 'buffer') as Hash);
  const root = frontierRoot(appendLeaves(EMPTY_FRONTIER, leaves));
  const levels = [leaves];
  for (let below = leaves; below.length > 1; ) {
    const pairs = Math.floor(below.length / 2);
    below = Array.from({ length: pairs }, (_, at) =>
      nodeHash(nodeAt(below, 2 * at), nodeAt(below, 2 * at + 1)),
    );
    levels.push(below);
  }
  const reader = {
    nodes: async (ids: readonly NodeId[]) =>
      ids.map(({ level, index }) => nodeAt(levels[level] ?? [], index)),
  };
  const index = 654_321;
  const proof = await inclusionProof(reader, index, LEAVES);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const signature = sign(null, root, privateKey);
  const { ours, reference } = await compare(
    5,
    () => {
      for (let round = 0; round < ROUNDS; round += 1)
        verifyInclusion(nodeAt(leaves, index), index, LEAVES, proof, root);
    },
    () => {
      for (let round = 0; round < ROUNDS; round += 1) verify(null, root, publicKey, signature);
    },
  );
  const bytes = proof.length * root.length;
  const micros = (time: number): string => `${Math.round((time / ROUNDS) * 1_000)} µs`;
  return [
    {
      what: `verify an inclusion proof in ${LEAVES} rows (${proof.length} hashes, ${bytes} bytes), against one Ed25519 signature (time)`,
      ours: micros(ours),
      reference: micros(reference),
      ratio: ratio(ours / reference),
    },
  ];
}

function nodeAt(level: readonly Hash[], index: number): Hash {
  const found = level[index];
  if (found === undefined) throw new RangeError('There is no such node.');
  return found;
}
