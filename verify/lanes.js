/**
 * The rules that tie the rows of a workspace together: `docs/audit-format.md` sections 3 and 4. Rows come in the order
 * of the leaves, lanes mixed; within a lane by rising number.
 */
import { Findings } from './judgement.js';
import { NO_ROW, RowError, readRow } from './row.js';

/**
 * @typedef {import('./judgement.js').Place} Place
 * @typedef {import('./judgement.js').Problem} Problem
 * @typedef {import('./row.js').Row} Row
 * @typedef {{lane: number, seq: number, leaf: number}} RowPlace
 * @typedef {{seq: number, hash: string | undefined, ts: string, leaf: number}} Head a lane's last row so far: the hash
 * that the next row must name, or none where the row is broken and any will do
 * @typedef {RowPlace & {count: number}} Run rows of one lane that are neighbours as leaves, from the one at the place
 */

export class LaneWalk {
  found = new Findings();
  rows = 0;
  /** @type {Map<number, Head>} */
  heads = new Map();
  /** The first row of each lane. @type {Map<number, {seq: number, prev: string, leaf: number}>} */
  firsts = new Map();
  /** By rising leaf. @type {Run[]} */
  runs = [];
  /** By lane: the hash of the row that opened it. @type {Map<string, string>} */
  #openings = new Map();
  /** Rows that could not be read, while it is not known where they belong. @type {{leaf: number, after: number | undefined, problem: Problem}[]} */
  #unplaced = [];
  /** By hash of a row that is left out: the row that names it as the one before. @type {Map<string, Place>} */
  #owed = new Map();
  #workspaceId;
  #fromStart;
  #filtered;

  /**
   * @param {string} workspaceId
   * @param {{fromStart: boolean, filtered: boolean}} scope whether the rows begin with the first leaf of the log, and
   * whether some are left out
   */
  constructor(workspaceId, { fromStart, filtered }) {
    this.#workspaceId = workspaceId;
    this.#fromStart = fromStart;
    this.#filtered = filtered;
    if (fromStart) this.heads.set(0, { seq: 0, hash: NO_ROW, ts: '', leaf: -1 });
  }

  /**
   * A row before those that will come, which is shown elsewhere.
   *
   * @param {Row} row
   * @param {string} hash
   */
  startAfter({ lane, seq, ts }, hash) {
    this.heads.set(lane, { seq, hash, ts, leaf: -1 });
  }

  /**
   * Judges the next row.
   *
   * @param {number} leaf
   * @param {Uint8Array} bytes
   * @param {Buffer} hash
   * @returns {Row | undefined} its content, if it has any
   */
  add(leaf, bytes, hash) {
    this.rows += 1;
    let row;
    try {
      row = readRow(bytes);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      this.#addUnreadable(leaf, bytes, error);
      return undefined;
    }
    this.#addReadable(leaf, row, hash.toString('hex'));
    return row;
  }

  /** @param {number} leaf @param {Row} row @param {string} hash */
  #addReadable(leaf, row, hash) {
    const { lane, seq, prev, ts } = row;
    const place = { lane, seq, leaf };
    const head = this.#headOf(lane, seq);
    const follows = head === undefined || seq === head.seq + 1;
    const isLinked = head?.hash === undefined || head.hash === prev;
    const real = follows && isLinked ? undefined : this.#placeAfter(prev, place);
    if (real !== undefined) {
      this.found.add('wrong_place', `The row calls itself ${lane}-${seq}.`, { ...real, leaf });
      this.#advance({ ...real, leaf }, undefined, ts);
      return;
    }
    if (head !== undefined && seq <= head.seq) {
      this.found.add('wrong_place', `The row comes after ${lane}-${head.seq}.`, place);
      return;
    }
    if (head !== undefined && !follows && this.#filtered) this.#owed.set(prev, place);
    else if (head !== undefined && !follows) this.#tellGap(head, place);
    if (row.ws !== this.#workspaceId)
      this.found.add('wrong_place', 'The row is of another workspace.', place);
    else if (follows && !isLinked) this.#tellBrokenLink(place);
    else if (head !== undefined && ts < head.ts)
      this.found.add('time_reversed', `${ts} is before ${head.ts}.`, place);
    const opened = lane === 0 && row.action === 'lane.opened' ? row.detail['lane'] : undefined;
    if (opened !== undefined && !this.#openings.has(opened)) this.#openings.set(opened, hash);
    if (!this.firsts.has(lane)) this.firsts.set(lane, { seq, prev, leaf });
    this.#advance(place, hash, ts);
  }

  /**
   * What a row must follow, if that is known.
   *
   * @param {number} lane
   * @param {number} seq
   * @returns {Head | undefined}
   */
  #headOf(lane, seq) {
    const head = this.heads.get(lane);
    if (head !== undefined || !(this.#fromStart || seq === 1)) return head;
    // What the first row of another lane than 0 must name is looked up at the end.
    return { seq: 0, hash: lane === 0 ? NO_ROW : undefined, ts: '', leaf: -1 };
  }

  /**
   * Where a row belongs that does not fit where it says: after the row that it names, if that is the last of its lane.
   *
   * @param {string} prev
   * @param {RowPlace} claimed
   */
  #placeAfter(prev, claimed) {
    for (const [lane, { seq, hash }] of this.heads) {
      const isElsewhere = lane !== claimed.lane || seq + 1 !== claimed.seq;
      if (hash === prev && isElsewhere) return { lane, seq: seq + 1 };
    }
    return undefined;
  }

  /**
   * Rows are missing before this one; unless they are among those that could not be read.
   *
   * @param {Head} head
   * @param {RowPlace} next
   */
  #tellGap(head, { lane, seq, leaf }) {
    let missing = head.seq + 1;
    for (; missing < seq; missing += 1) {
      const index = this.#unplaced.findIndex((row) => row.leaf > head.leaf);
      const [found] = index === -1 ? [] : this.#unplaced.splice(index, 1);
      if (found === undefined) break;
      Object.assign(found.problem, { lane, seq: missing });
    }
    if (missing === seq) return;
    const last = seq - missing > 1 ? ` to ${lane}-${seq - 1}` : '';
    const message = `${lane}-${missing}${last} should stand before ${lane}-${seq}.`;
    this.found.add('missing_row', message, { lane, seq: missing, leaf });
  }

  /** @param {Place} place */
  #tellBrokenLink(place) {
    const before = place.seq === 1 ? 'what its lane begins with' : `${place.lane}-${Number(place.seq) - 1}`;
    this.found.add('broken_link', `The row does not name the hash of ${before}.`, place);
  }

  /** @param {number} leaf @param {Uint8Array} bytes @param {RowError} error */
  #addUnreadable(leaf, bytes, error) {
    const problem = this.found.add(error.code, error.message, { leaf });
    const claimed = claimedPlace(bytes);
    const head = claimed && this.#headOf(claimed.lane, claimed.seq);
    const next = (head?.seq ?? 0) + 1;
    const fits =
      head === undefined || claimed?.seq === next || (this.#filtered && Number(claimed?.seq) > next);
    if (claimed !== undefined && fits) {
      Object.assign(problem, claimed);
      this.#advance({ ...claimed, leaf }, undefined, head?.ts ?? '');
    } else {
      this.#unplaced.push({ leaf, after: this.runs.at(-1)?.lane, problem });
    }
  }

  /** @param {RowPlace} place @param {string | undefined} hash @param {string} ts */
  #advance({ lane, seq, leaf }, hash, ts) {
    this.heads.set(lane, { seq, hash, ts, leaf });
    const run = this.runs.at(-1);
    const goesOn = run?.lane === lane && run.seq + run.count === seq && run.leaf + run.count === leaf;
    if (goesOn) run.count += 1;
    else this.runs.push({ lane, seq, leaf, count: 1 });
  }

  /**
   * Judges what only the whole of the rows can tell.
   *
   * @param {Iterable<string>} withheld hashes of the leaves that are left out, in hex
   * @returns {number[]} lanes whose first row is shown, but not the row that opened them
   */
  finish(withheld = []) {
    this.#placeLast();
    /** @type {Map<string, RowPlace>} */
    const unopened = new Map();
    for (const [lane, { seq, prev, leaf }] of this.firsts) {
      const isOpened = lane === 0 || seq > 1 || this.#openings.get(String(lane)) === prev;
      if (!isOpened) unopened.set(prev, { lane, seq, leaf });
    }
    for (const hash of withheld) {
      this.#owed.delete(hash);
      unopened.delete(hash);
    }
    for (const place of this.#owed.values()) this.#tellBrokenLink(place);
    if (!this.#fromStart) return [...unopened.values()].map(({ lane }) => lane);
    for (const place of unopened.values()) {
      if (this.#openings.has(String(place.lane))) this.#tellBrokenLink(place);
      else this.found.add('lane_not_opened', `No row of lane 0 opens lane ${place.lane}.`, place);
    }
    return [];
  }

  /** What could not be read and leaves no gap was the last row of its lane. */
  #placeLast() {
    for (const { leaf, after, problem } of this.#unplaced) {
      const ended = [...this.heads].filter(([, head]) => head.leaf < leaf);
      const end = ended.find(([lane]) => lane === after) ?? (ended.length === 1 ? ended[0] : undefined);
      if (end !== undefined) Object.assign(problem, { lane: end[0], seq: end[1].seq + 1 });
    }
  }

  /** @param {number} leaf @returns {Place} the row at a leaf, if one is known there */
  placeOf(leaf) {
    const run = this.runs[countWhile(this.runs, (candidate) => candidate.leaf <= leaf) - 1];
    const offset = run === undefined ? 0 : leaf - run.leaf;
    return run === undefined || offset >= run.count
      ? { leaf }
      : { lane: run.lane, seq: run.seq + offset, leaf };
  }
}

/**
 * How many items a test holds for, of a list that begins with all of those.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => boolean} test
 */
export function countWhile(items, test) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const item = items[middle];
    if (item !== undefined && test(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Which row a spoiled one says it is: for its name in the report, nothing else.
 *
 * @param {Uint8Array} bytes
 */
function claimedPlace(bytes) {
  const text = Buffer.from(bytes).toString('latin1');
  const [, lane] = /"lane":"(\d{1,5})","nonce"/.exec(text) ?? [];
  const [, seq] = /"seq":"([1-9]\d{0,14})","ts"/.exec(text) ?? [];
  return lane === undefined || seq === undefined ? undefined : { lane: Number(lane), seq: Number(seq) };
}
