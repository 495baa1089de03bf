import type { Ledger, StoredRow } from '../audit/ledger.ts';

interface Page {
  readonly bySeq: ReadonlyMap<number, StoredRow>;
  /** Rows from this one to `through` are in the page, or not there. */
  readonly from: number;
  readonly through: number;
}

/** Reads rows one by one, a page at a time. Memory holds one page of each lane. */
export class RowReader {
  readonly #ledger: Ledger;
  readonly #workspaceId: string;
  readonly #pageSize: number;
  readonly #pages = new Map<number, Page>();

  constructor(ledger: Ledger, workspaceId: string, pageSize: number) {
    this.#ledger = ledger;
    this.#workspaceId = workspaceId;
    this.#pageSize = pageSize;
  }

  /** Quick when each call for a lane asks for a row shortly after that of the one before. */
  async row(lane: number, seq: number): Promise<StoredRow | undefined> {
    const held = this.#pages.get(lane);
    const page =
      held !== undefined && seq >= held.from && seq <= held.through ? held : await this.#read(lane, seq);
    return page.bySeq.get(seq);
  }

  async #read(lane: number, from: number): Promise<Page> {
    const rows = await this.#ledger.rows({ workspaceId: this.#workspaceId, lane }, from, this.#pageSize);
    const bySeq = new Map(rows.map((row) => [row.seq, row]));
    const page = { bySeq, from, through: Math.max(from, ...bySeq.keys()) };
    this.#pages.set(lane, page);
    return page;
  }
}
