import { createHash } from 'node:crypto';
import type { Alert } from '../../../core/detection/alert.ts';
import { checkpointText } from '../../../core/transparency/checkpoint.ts';
import { verifyCosignature } from '../../../core/transparency/cosignature.ts';
import {
  appendLeaves,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  frontierRoot,
  type Hash,
} from '../../../core/transparency/merkle.ts';
import { consistencyProof, type NodeId } from '../../../core/transparency/proofs.ts';
import {
  formatVerifierKey,
  noteOf,
  signatureLine,
  verifierKey,
} from '../../../core/transparency/signed-note.ts';
import { createCosigner } from '../../../core/witness/ask-witnesses.ts';
import { MemorySigner } from '../../support/memory-signer.ts';
import { MemoryWitness } from '../../support/memory-witness.ts';

const ORIGIN = 'lockzero.acme/ws_1';
const LOG_KEY = new MemorySigner(new Uint8Array(32).fill(5));

/** A log of numbered leaves; `salt` makes another log of the same size. */
class Log {
  readonly leaves: Hash[];

  constructor(size: number, salt = '') {
    this.leaves = Array.from({ length: size }, (_, index) =>
      createHash('sha256').update(`${salt}${index}`).digest(),
    );
  }

  root(size: number): Hash {
    return size === 0 ? EMPTY_ROOT : frontierRoot(appendLeaves(EMPTY_FRONTIER, this.leaves.slice(0, size)));
  }

  async note(size: number, signer = LOG_KEY, origin = ORIGIN): Promise<string> {
    const text = checkpointText({ origin, size, root: this.root(size) });
    const { signature } = await signer.sign(Buffer.from(text));
    return noteOf(text, [signatureLine(verifierKey(origin, await publicKey(LOG_KEY)), signature)]);
  }

  proof(from: number, to: number): Promise<readonly Hash[]> {
    const nodes = async (ids: readonly NodeId[]) =>
      ids.map(({ level, index }) =>
        frontierRoot(
          appendLeaves(EMPTY_FRONTIER, this.leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
        ),
      );
    return consistencyProof({ nodes }, from, to);
  }

  async submission(oldSize: number, size: number, provedFrom = oldSize): Promise<string> {
    const lines = (await this.proof(provedFrom, size)).map(
      (hash) => `${Buffer.from(hash).toString('base64')}\n`,
    );
    return `old ${oldSize}\n${lines.join('')}\n${await this.note(size)}`;
  }
}

async function publicKey(signer: MemorySigner): Promise<Uint8Array> {
  const [key] = await signer.publicKeys();
  return key?.publicKey ?? new Uint8Array();
}

async function newWitness(): Promise<MemoryWitness> {
  return new MemoryWitness([{ logName: 'lockzero.acme', publicKey: await publicKey(LOG_KEY) }]);
}

async function witnessKey(witness: MemoryWitness) {
  return verifierKey(witness.parts.name, await publicKey(witness.signer), 4);
}

const post = (witness: MemoryWitness, body: string) => witness.addCheckpoint('', body);

describe('a witness (C2SP tlog-witness)', () => {
  it('cosigns a log from its first checkpoint on, as it grows', async () => {
    const witness = await newWitness();
    const log = new Log(20);
    for (const [oldSize, size] of [
      [0, 3],
      [3, 3],
      [3, 8],
      [8, 20],
    ] as const) {
      const answer = await post(witness, await log.submission(oldSize, size));
      expect(answer.status).toBe(200);
      const cosigned = `${await log.note(size)}${answer.body}`;
      expect(verifyCosignature(cosigned, await witnessKey(witness))).toBe(
        Math.floor(witness.clock.now() / 1000),
      );
    }
    expect(witness.trees.get(ORIGIN)?.size).toBe(20);
  });

  it('answers 409 with the size that it knows, and remembers nothing new', async () => {
    const witness = await newWitness();
    const log = new Log(20);
    await post(witness, await log.submission(0, 8));
    expect(await post(witness, await log.submission(3, 12))).toEqual({
      status: 409,
      contentType: 'text/x.tlog.size',
      body: '8\n',
    });
    expect(await post(witness, await log.submission(0, 12))).toMatchObject({ status: 409, body: '8\n' });
    expect(witness.trees.get(ORIGIN)?.size).toBe(8);
  });

  it('refuses a fork: of the same size, of a larger one, and one that brings a proof of the honest log', async () => {
    const witness = await newWitness();
    const log = new Log(20);
    const fork = new Log(20, 'forged');
    await post(witness, await log.submission(0, 8));
    expect((await post(witness, await fork.submission(8, 8))).status).toBe(422);
    expect((await post(witness, await fork.submission(8, 12))).status).toBe(422);
    const honestProof = (await log.submission(8, 12)).split('\n\n')[0];
    expect((await post(witness, `${honestProof}\n\n${await fork.note(12)}`)).status).toBe(422);
    expect(witness.trees.get(ORIGIN)?.size).toBe(8);
  });

  it('refuses a log that shrinks', async () => {
    const witness = await newWitness();
    const log = new Log(20);
    await post(witness, await log.submission(0, 8));
    expect((await post(witness, `old 8\n\n${await log.note(5)}`)).status).toBe(400);
    expect((await post(witness, await log.submission(3, 5))).status).toBe(409);
  });

  it('answers 404 for a log that it does not watch and 403 for a checkpoint that the log did not sign', async () => {
    const witness = await newWitness();
    const log = new Log(3);
    const other = new MemorySigner(new Uint8Array(32).fill(6));
    const unknown = await log.note(3, LOG_KEY, 'lockzero.other/ws_1');
    expect((await post(witness, `old 0\n\n${unknown}`)).status).toBe(404);
    expect((await post(witness, `old 0\n\n${await log.note(3, other)}`)).status).toBe(403);
    expect(witness.trees.size).toBe(0);
  });

  it.each([
    ['nothing', ''],
    ['no old size', `\n\nx`],
    ['an old size with zeros before it', 'old 03\n\n'],
    ['a proof line that is no hash', 'old 3\nAAAA\n\n'],
    ['no checkpoint', 'old 0\n\nhello\n'],
    ['too many proof lines', `old 3\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\nx`],
  ])('answers 400 for %s', async (_, body) => {
    expect((await post(await newWitness(), body)).status).toBe(400);
  });

  it('answers 422 for a proof where none belongs, and for an empty tree with a root', async () => {
    const witness = await newWitness();
    const log = new Log(8);
    const withProof = await log.submission(0, 8, 3);
    expect((await post(witness, withProof)).status).toBe(422);
    const text = `${ORIGIN}\n0\n${Buffer.from(log.root(8)).toString('base64')}\n`;
    const { signature } = await LOG_KEY.sign(Buffer.from(text));
    const key = verifierKey(ORIGIN, await publicKey(LOG_KEY));
    const note = noteOf(text, [signatureLine(key, signature)]);
    expect((await post(witness, `old 0\n\n${note}`)).status).toBe(422);
  });

  it('never goes back when two requests are answered at once', async () => {
    const witness = await newWitness();
    const log = new Log(20);
    await post(witness, await log.submission(0, 3));
    let isFirst = true;
    witness.meanwhile = async () => {
      if (!isFirst) return;
      isFirst = false;
      expect((await post(witness, await log.submission(3, 20))).status).toBe(200);
    };
    expect(await post(witness, await log.submission(3, 8))).toMatchObject({ status: 409, body: '20\n' });
    expect(witness.trees.get(ORIGIN)?.size).toBe(20);
  });
});

describe('asking witnesses', () => {
  async function asked(
    witness: MemoryWitness,
    log: Log,
    previousSize: number,
    size: number,
    newestSize = size,
  ) {
    const alerts: Alert[] = [];
    const cosigner = createCosigner({
      witnesses: [
        { url: 'https://witness.example.com', verifierKey: formatVerifierKey(await witnessKey(witness)) },
      ],
      client: witness,
      alerts: { raise: async (alert) => void alerts.push(alert) },
    });
    const note = await log.note(size);
    const lines = await cosigner.cosign(
      { workspaceId: 'ws_1', size, previousSize, note },
      { prove: (from, to) => log.proof(from, to), newestSize: async () => newestSize },
    );
    return { note, lines, alerts: alerts.map(({ tier, kind }) => `${tier} ${kind}`) };
  }

  it('brings a cosignature that verifies with the checkpoint', async () => {
    const witness = await newWitness();
    const { note, lines, alerts } = await asked(witness, new Log(5), 0, 5);
    expect(lines).toHaveLength(1);
    expect(() =>
      verifyCosignature(`${note}${lines.join('')}`, verifierKey('other', new Uint8Array(32), 4)),
    ).toThrow();
    expect(verifyCosignature(`${note}${lines.join('')}`, await witnessKey(witness))).toBeGreaterThan(0);
    expect(alerts).toEqual([]);
  });

  it('goes on from the size that the witness knows, after either was away', async () => {
    const witness = await newWitness();
    const log = new Log(20);
    await asked(witness, log, 0, 5);
    expect((await asked(witness, log, 12, 20)).lines).toHaveLength(1);
    expect(witness.answers.map(({ status }) => status)).toEqual([200, 409, 200]);
  });

  it('raises a critical alert when the witness has seen another log, or a longer one', async () => {
    const witness = await newWitness();
    await asked(witness, new Log(20), 0, 20);
    expect(await asked(witness, new Log(20, 'forged'), 20, 20)).toMatchObject({
      lines: [],
      alerts: ['critical witness_refused'],
    });
    expect(await asked(witness, new Log(20), 5, 10)).toMatchObject({
      lines: [],
      alerts: ['critical witness_refused'],
    });
  });

  it('says nothing when another sealer was quicker, unless the witness has seen more than that one sealed', async () => {
    const witness = await newWitness();
    const log = new Log(20);
    await asked(witness, log, 0, 20);
    expect(await asked(witness, log, 5, 10, 20)).toMatchObject({ lines: [], alerts: [] });
    expect(await asked(witness, log, 5, 10, 19)).toMatchObject({
      lines: [],
      alerts: ['critical witness_refused'],
    });
  });

  it('goes without a cosignature, and says so, when the witness is away or answers with another key', async () => {
    const witness = await newWitness();
    const log = new Log(5);
    const signer = new MemorySigner(new Uint8Array(32).fill(99));
    const imposter = new MemoryWitness([...witness.parts.deployments]);
    Object.assign(imposter.parts, { signer });
    const alerts: Alert[] = [];
    const cosign = async (client: { addCheckpoint: MemoryWitness['addCheckpoint'] }) =>
      createCosigner({
        witnesses: [
          { url: 'https://witness.example.com', verifierKey: formatVerifierKey(await witnessKey(witness)) },
        ],
        client,
        alerts: { raise: async (alert) => void alerts.push(alert) },
      }).cosign(
        { workspaceId: 'ws_1', size: 5, previousSize: 0, note: await log.note(5) },
        { prove: (from, to) => log.proof(from, to), newestSize: async () => 5 },
      );
    const away = async () => {
      throw new Error('away');
    };
    expect(await cosign({ addCheckpoint: away })).toEqual([]);
    expect(await cosign(imposter)).toEqual([]);
    expect(alerts.map(({ tier, kind }) => `${tier} ${kind}`)).toEqual([
      'warning job_failed',
      'warning job_failed',
    ]);
  });
});
