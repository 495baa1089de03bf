import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { buildRows, type Head } from '../../core/audit/build-rows.ts';
import type { AuditEvent } from '../../core/audit/event.ts';
import type { StoredRow } from '../../core/audit/ledger.ts';
import { type AuditRow, decodeRow, GENESIS_HASH } from '../../core/audit/row.ts';
import { canonicalJson, type Json } from '../../core/kernel/canonical-json.ts';
import { consistencyProof, inclusionProof, subtrees } from '../../core/transparency/proofs.ts';
import { formatVerifierKey, noteOf } from '../../core/transparency/signed-note.ts';
import { bundlesOf, encodeEntries, entriesPath, tilePath, tilesOf } from '../../core/transparency/tiles.ts';
import { formatTlogProof } from '../../core/transparency/tlog-proof.ts';
import { completeLevels, levelsReader, recursiveRoot } from '../support/merkle-trees.ts';
import { NoteSigner } from '../support/note-signer.ts';
import { SeededRandom } from '../support/random.ts';

export const WORKSPACE = 'ws_1';
export const ORIGIN = `log.example/${WORKSPACE}`;
export const SIGNER = new NoteSigner(new Uint8Array(32).fill(1), ORIGIN);
export const KEY = formatVerifierKey(SIGNER.key);
/** Somebody else, who has no right to the log's name. */
export const FORGER = new NoteSigner(new Uint8Array(32).fill(2), ORIGIN);

export type Files = Map<string, Uint8Array>;

/** Rows of one lane, written at once: what happened, or the number of the lane that it opened. */
export interface Burst {
  readonly lane: number;
  readonly at: string;
  readonly events: readonly (string | { readonly opens: number })[];
}

/** The rows of bursts in that order, which is the order of the leaves. */
export function rowsOf(bursts: readonly Burst[]): StoredRow[] {
  const random = new SeededRandom(4);
  const heads = new Map<number, Head>([[0, { seq: 0, hash: GENESIS_HASH, time: 0 }]]);
  return bursts.flatMap(({ lane, at, events }) => {
    const head = heads.get(lane) ?? { seq: 0, hash: 'f'.repeat(64), time: 0 };
    const actor = { type: 'api_key', id: `key_${lane}` } as const;
    const origin = { workspaceId: WORKSPACE, lane, actor, ip: '203.0.113.7', userAgent: 'curl' };
    const built = buildRows(head, origin, events.map(eventOf), Date.parse(at), random);
    heads.set(lane, built.head);
    for (const row of built.rows) {
      const { action, detail } = decodeRow(row.bytes);
      const opened = Number(detail['lane']);
      if (action === 'lane.opened' && !heads.has(opened))
        heads.set(opened, { seq: 0, hash: row.hash, time: 0 });
    }
    return built.rows;
  });
}

function eventOf(event: Burst['events'][number]): AuditEvent {
  const entity = { type: 'secret', id: 'sec_1' };
  return typeof event === 'string'
    ? { action: event as AuditEvent['action'], entity, result: 'success' }
    : { action: 'lane.opened', entity, result: 'success', detail: { lane: String(event.opens) } };
}

/**
 * Two days in three lanes. By leaf: 0 to 5 are 0-1 to 0-6, 6 to 8 are 1-1 to 1-3, 9 to 12 are 0-7 to 0-10, 13 is 1-4,
 * 14 to 17 are 2-1 to 2-4, 18 and 19 are 0-11 and 0-12, 20 to 22 are 2-5 to 2-7.
 */
export const BURSTS: readonly Burst[] = [
  {
    lane: 0,
    at: '2026-03-01T09:00:00.000Z',
    events: [
      'workspace.created',
      { opens: 1 },
      'secret.created',
      'secret.revealed',
      'secret.read',
      'secret.read',
    ],
  },
  { lane: 1, at: '2026-03-01T10:00:00.000Z', events: Array(3).fill('authentication.failed') },
  {
    lane: 0,
    at: '2026-03-01T20:00:00.000Z',
    events: [{ opens: 2 }, 'secret.revealed', 'secret.read', 'secret.deleted'],
  },
  { lane: 1, at: '2026-03-01T20:00:01.000Z', events: ['authentication.failed'] },
  { lane: 2, at: '2026-03-02T08:00:00.000Z', events: Array(4).fill('secret.read') },
  { lane: 0, at: '2026-03-02T09:00:00.000Z', events: ['secret.restored', 'secret.revealed'] },
  { lane: 2, at: '2026-03-02T10:00:00.000Z', events: Array(3).fill('secret.revealed') },
];
export const ROWS = rowsOf(BURSTS);
export const SEALS = [9, 18, 23];

/** Row bytes with a member replaced; canonical as before, since the text keeps its order. */
export function edited(bytes: Uint8Array, from: string | RegExp, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString('utf8');
  const result = text.replace(from, to);
  if (result === text) throw new Error('The edit changes nothing.');
  return Buffer.from(result, 'utf8');
}

interface BundleOptions {
  readonly first?: number;
  readonly end?: number;
  readonly from?: string;
  readonly to?: string;
  readonly filter?: { readonly [name: string]: string };
}

/** A log that was sealed and signed as its rows are, whatever they are; and evidence from it. */
export class TestLog {
  readonly entries: readonly Uint8Array[];
  readonly hashes: readonly Uint8Array[];
  readonly #signer: NoteSigner;
  readonly #seals: readonly number[];

  constructor(entries: readonly Uint8Array[], signer = SIGNER, seals: readonly number[] = SEALS) {
    this.entries = entries;
    this.hashes = entries.map((entry) => sha256(Buffer.concat([Buffer.of(0), entry])));
    this.#signer = signer;
    this.#seals = seals;
  }

  get size(): number {
    return this.entries.length;
  }

  get root(): Uint8Array {
    return recursiveRoot(this.hashes);
  }

  checkpoint(size = this.size, witnesses: readonly ((text: string) => string)[] = []): Uint8Array {
    const text = `${ORIGIN}\n${size}\n${base64(recursiveRoot(this.hashes.slice(0, size)))}\n`;
    return Buffer.from(noteOf(text, [this.#signer.line(text), ...witnesses.map((line) => line(text))]));
  }

  /** A bundle with the leaves from `first` up to, not including, `end`. */
  async bundle({ first = 0, end = this.size, from, to, filter }: BundleOptions = {}): Promise<Files> {
    const range = this.entries.slice(first, end);
    const nodes = levelsReader(completeLevels(this.hashes));
    const files: Files = new Map([
      [
        'bundle.json',
        json({
          format: 'lockzero-evidence/1',
          origin: ORIGIN,
          workspaceId: WORKSPACE,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...(filter === undefined ? {} : { filter }),
          firstLeaf: first,
          leaves: range.length,
          treeSize: this.size,
          createdAt: '2026-03-03T00:00:00.000Z',
        }),
      ],
      ['checkpoint', this.checkpoint()],
      ['leaves.ndjson', Buffer.concat(range.flatMap((bytes) => [lineOf(bytes, filter), Buffer.from('\n')]))],
      [
        'range-proof.json',
        json({
          left: (await nodes.nodes(subtrees(0, first))).map(base64),
          right: (await nodes.nodes(subtrees(end, this.size))).map(base64),
        }),
      ],
      ['verifier-key', Buffer.from(`${formatVerifierKey(this.#signer.key)}\n`)],
    ]);
    if (filter === undefined) await this.#addNeighbours(files, first, end);
    for (const size of this.#seals.filter((seal) => seal > first && seal <= this.size)) {
      const path = `seals/${String(size).padStart(16, '0')}`;
      const hashes = await consistencyProof(nodes, size, this.size);
      files.set(path, this.checkpoint(size));
      files.set(`${path}.consistency.json`, json({ from: size, to: this.size, hashes: hashes.map(base64) }));
    }
    for (const [name, bytes] of this.manifests()) {
      if (name.includes('/manifest.'))
        files.set(name.replace(/^.*\/(.{10})\/manifest/, 'manifests/$1'), bytes);
    }
    return files;
  }

  async #addNeighbours(files: Files, first: number, end: number): Promise<void> {
    const lanes = new Set(this.entries.slice(first, end).map((bytes) => decodeLoosely(bytes).lane));
    for (const lane of lanes) {
      const inLane = (bytes: Uint8Array) => decodeLoosely(bytes).lane === lane;
      const before = this.entries.findLastIndex((bytes, leaf) => leaf < first && inLane(bytes));
      const after = this.entries.findIndex((bytes, leaf) => leaf >= end && inLane(bytes));
      if (before !== -1) files.set(`neighbours/${lane}-before.tlog-proof`, await this.proof(before));
      if (after !== -1) files.set(`neighbours/${lane}-after.tlog-proof`, await this.proof(after));
    }
  }

  async proof(leaf: number): Promise<Uint8Array> {
    const nodes = levelsReader(completeLevels(this.hashes));
    const hashes = await inclusionProof(nodes, leaf, this.size);
    const checkpoint = Buffer.from(this.checkpoint()).toString('utf8');
    return Buffer.from(
      formatTlogProof({ extra: this.entries[leaf] ?? new Uint8Array(), index: leaf, hashes, checkpoint }),
    );
  }

  /** The archive as its bucket holds it. */
  archive(): Files {
    const files: Files = new Map([[`log/${WORKSPACE}/checkpoint`, this.checkpoint()]]);
    const levels = completeLevels(this.hashes);
    let sealed = 0;
    for (const size of this.#seals) {
      files.set(`log/${WORKSPACE}/seals/${String(size).padStart(16, '0')}`, this.checkpoint(size));
      for (const tile of tilesOf(sealed, size)) {
        const row = levels[8 * tile.level]?.slice(tile.index * 256, tile.index * 256 + tile.width) ?? [];
        files.set(`log/${WORKSPACE}/${tilePath(tile)}`, Buffer.concat(row));
      }
      for (const { index, width } of bundlesOf(sealed, size)) {
        const entries = this.entries.slice(index * 256, index * 256 + width);
        files.set(`log/${WORKSPACE}/${entriesPath(index, width)}`, encodeEntries(entries));
      }
      sealed = size;
    }
    for (const [name, bytes] of this.manifests()) files.set(name, bytes);
    return files;
  }

  /** The daily archive: manifests with their notes, and the objects that they name. */
  manifests(): Files {
    const files: Files = new Map();
    const rows = this.entries.map((bytes) => ({ bytes, ...decodeLoosely(bytes) }));
    let previous = '0'.repeat(64);
    for (const day of [...new Set(rows.map(({ ts }) => ts.slice(0, 10)))].sort()) {
      const where = `archive/${WORKSPACE}/${day}`;
      const ofDay = Map.groupBy(
        rows.filter(({ ts }) => ts.startsWith(day)),
        ({ lane }) => lane,
      );
      const lanes: Json[] = [];
      const parts: Json[] = [];
      for (const [lane, inLane] of [...ofDay].sort(([a], [b]) => a - b)) {
        const [first] = inLane;
        const last = inLane.at(-1);
        if (first === undefined || last === undefined) continue;
        const raw = Buffer.concat(inLane.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
        const packed = gzipSync(raw);
        const key = `${where}/${lane}-0001.ndjson.gz`;
        const ends = { lane, first: first.seq, last: last.seq };
        const lastHash = hex(sha256(Buffer.concat([Buffer.of(0), last.bytes])));
        lanes.push({ ...ends, firstPrev: first.prev, lastHash, lastTs: last.ts });
        parts.push({
          ...ends,
          key,
          versionId: 'v1',
          rows: inLane.length,
          bytes: raw.length,
          sha256: hex(sha256(raw)),
          gzipBytes: packed.length,
          gzipSha256: hex(sha256(packed)),
        });
        files.set(key, packed);
      }
      const checkpoints = [{ ...this.#named(SEALS[1] ?? 0), versionId: 'v1' }];
      const manifest = json({ v: 1, ws: WORKSPACE, day, previous, lanes, parts, checkpoints });
      const text = `${ORIGIN}/archive\n${day}\n${base64(sha256(manifest))}\n`;
      files.set(`${where}/manifest.json`, manifest);
      files.set(`${where}/manifest.note`, Buffer.from(noteOf(text, [this.#signer.line(text)])));
      previous = hex(sha256(manifest));
    }
    return files;
  }

  #named(size: number) {
    const root = base64(recursiveRoot(this.hashes.slice(0, size)));
    return { key: `log/${WORKSPACE}/seals/${String(size).padStart(16, '0')}`, size, root };
  }
}

export const HONEST = new TestLog(ROWS.map(({ bytes }) => bytes));

function decodeLoosely(bytes: Uint8Array): Pick<AuditRow, 'lane' | 'seq' | 'ts' | 'prev'> {
  const { lane, seq, ts, prev } = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return { lane: Number(lane), seq: Number(seq), ts, prev };
}

function lineOf(bytes: Uint8Array, filter: BundleOptions['filter']): Uint8Array {
  const isShown = filter === undefined || decodeRow(bytes).action === filter['action'];
  return isShown ? bytes : Buffer.from(hex(sha256(Buffer.concat([Buffer.of(0), bytes]))));
}

/** The lines of a bundle's leaves, changed. */
export function withLines(files: Files, change: (lines: string[]) => string[]): Files {
  const lines = Buffer.from(files.get('leaves.ndjson') ?? [])
    .toString('utf8')
    .trimEnd()
    .split('\n');
  return new Map(files).set(
    'leaves.ndjson',
    Buffer.from(
      change(lines)
        .map((line) => `${line}\n`)
        .join(''),
    ),
  );
}

export function json(value: Json): Uint8Array {
  return Buffer.from(canonicalJson(value));
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
