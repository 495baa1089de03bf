import type { AppendOutcome, StoredRow } from '../../../core/audit/ledger.ts';
import { check, remove, update } from '../../../core/kernel/entity.ts';
import { secretKind } from '../../../core/secrets/secret.ts';
import { sampleApiKey, sampleSecret } from '../../support/samples.ts';
import { LaneWriter, newWorkspace, type Ports } from './ports.ts';

/** What every `Ledger` must do. */
export function describeLedger(getPorts: () => Ports): void {
  let ports: Ports;
  let writer: LaneWriter;
  let ws: string;
  beforeEach(() => {
    ports = getPorts();
    ws = newWorkspace();
    writer = new LaneWriter(ports.ledger, ws);
  });

  const plain = (row: StoredRow | undefined) =>
    row && { ...row, bytes: Buffer.from(row.bytes).toString('hex') };
  const seqs = (rows: readonly StoredRow[]): number[] => rows.map(({ seq }) => seq);
  const secret = (id: string) => ports.store.get(secretKind, ws, id);

  it('an empty lane has no rows', async () => {
    expect(await ports.ledger.lastRow(writer.lane)).toBeUndefined();
    expect(await ports.ledger.row(writer.lane, 1)).toBeUndefined();
    expect(await ports.ledger.rows(writer.lane, 1, 10)).toEqual([]);
  });

  it('a row comes back as it was written, to the byte', async () => {
    const rows = writer.rows();
    expect(await writer.send(rows)).toEqual({ status: 'committed' });
    const stored = await ports.ledger.row(writer.lane, 1);
    expect(plain(stored)).toEqual(plain(rows[0]));
    expect(plain(await ports.ledger.lastRow(writer.lane))).toEqual(plain(stored));
    expect(plain((await ports.ledger.rows(writer.lane, 1, 1))[0])).toEqual(plain(stored));
  });

  it('rows are ordered by number, both ways, within their bounds and their lane', async () => {
    for (let count = 0; count < 4; count += 1) await writer.send(writer.rows(3));
    const other = new LaneWriter(ports.ledger, newWorkspace());
    await other.append();
    const { ledger } = ports;
    expect(seqs(await ledger.rows(writer.lane, 9, 3))).toEqual([9, 10, 11]);
    expect(seqs(await ledger.rows(writer.lane, 11, 100))).toEqual([11, 12]);
    expect(seqs(await ledger.rows(writer.lane, 10, 3, 'falling'))).toEqual([10, 9, 8]);
    expect(seqs(await ledger.rows(writer.lane, 99, 2, 'falling'))).toEqual([12, 11]);
    expect(seqs(await ledger.rows(writer.lane, 13, 2))).toEqual([]);
    expect((await ledger.lastRow(writer.lane))?.seq).toBe(12);
    expect(await ledger.rows({ ...writer.lane, lane: 1 }, 1, 2)).toEqual([]);
  });

  it('a change is there with its row, and names it', async () => {
    await writer.append();
    await writer.append(sampleSecret(ws, 'a'));
    expect(await secret('a')).toMatchObject({ id: 'a', revision: 1 });
    const [inspected] = await ports.inspector.inspect(ws, [{ kind: 'secret', id: 'a' }]);
    expect(inspected).toMatchObject({ row: { lane: 0, seq: 2 }, exact: true });
  });

  it('a hundred items fit one transaction', async () => {
    const changes = Array.from({ length: 97 }, (_, index) => sampleSecret(ws, `s${index}`));
    expect(await writer.send(writer.rows(3), changes)).toEqual({ status: 'committed' });
    expect(await secret('s96')).toBeDefined();
  });

  describe('a row that is taken', () => {
    async function lost(outcome: AppendOutcome, seq: number): Promise<void> {
      const occupant = await ports.ledger.row(writer.lane, seq);
      expect(outcome.status).toBe('row_taken');
      if (outcome.status === 'row_taken') expect(plain(outcome.row)).toEqual(plain(occupant));
    }

    it('is told, by itself and in a transaction, and nothing of the loser is written', async () => {
      const rival = new LaneWriter(ports.ledger, ws, 999);
      await writer.append(sampleSecret(ws, 'a'));
      await lost(await rival.append(), 1);
      await lost(await rival.append(sampleSecret(ws, 'b')), 1);
      expect(await secret('b')).toBeUndefined();
      expect((await ports.ledger.rows(writer.lane, 1, 10)).length).toBe(1);
    });

    it('is told before changes that are refused besides', async () => {
      const rival = new LaneWriter(ports.ledger, ws, 999);
      await writer.append(sampleSecret(ws, 'a'));
      await lost(await rival.append(sampleSecret(ws, 'a')), 1);
    });

    it('though it be the last of several', async () => {
      await writer.append();
      const ahead = writer.rows(2)[1];
      if (ahead === undefined) throw new Error('There are two rows.');
      await writer.send([ahead]);
      const rival = new LaneWriter(ports.ledger, ws, 999);
      rival.head = { ...writer.head, seq: 1 };
      await lost(await rival.send(rival.rows(2)), 3);
      expect(await ports.ledger.row(writer.lane, 2)).toBeUndefined();
    });
  });

  it.each([0, 1])(
    'the same bytes sent again after a success with %i changes are recognized',
    async (count) => {
      const rows = writer.rows();
      const changes = count === 0 ? [] : [sampleSecret(ws, 'a')];
      await writer.send(rows, changes);
      const outcome = await writer.send(rows, changes);
      const nonce = outcome.status === 'row_taken' ? outcome.row.nonce : undefined;
      expect([outcome.status, nonce]).toEqual(
        outcome.status === 'committed' ? ['committed', undefined] : ['row_taken', rows[0]?.nonce],
      );
      expect((await ports.ledger.rows(writer.lane, 1, 10)).length).toBe(1);
    },
  );

  describe('changes that do not find what they expect', () => {
    it('are named by their places, and nothing is written', async () => {
      const made = sampleSecret(ws, 'a');
      await writer.append(made);
      const stale = { ...made.entity, revision: 7 };
      const outcome = await writer.send(writer.rows(2), [
        sampleSecret(ws, 'b'),
        update(secretKind, stale, { isCUI: true }),
        remove(secretKind, sampleSecret(ws, 'none').entity),
      ]);
      expect(outcome).toEqual({ status: 'change_refused', refused: [1, 2] });
      expect(await secret('b')).toBeUndefined();
      expect(await ports.ledger.row(writer.lane, 2)).toBeUndefined();
    });

    it.each([
      ['a new one that is there', () => sampleSecret(ws, 'a')],
      ['one that is not there', () => update(secretKind, sampleSecret(ws, 'none').entity, { isCUI: true })],
      ['a removal of one that is not there', () => remove(secretKind, sampleSecret(ws, 'none').entity)],
      [
        'a removal of another revision',
        () => remove(secretKind, { ...sampleSecret(ws, 'a').entity, revision: 2 }),
      ],
      ['a check of one that is not there', () => check(secretKind, sampleSecret(ws, 'none').entity)],
      [
        'a check of another revision',
        () => check(secretKind, { ...sampleSecret(ws, 'a').entity, revision: 2 }),
      ],
    ])('%s', async (_, change) => {
      await writer.append(sampleSecret(ws, 'a'));
      expect(await writer.append(change())).toEqual({ status: 'change_refused', refused: [0] });
      expect(await secret('a')).toMatchObject({ revision: 1, isCUI: false });
    });
  });

  it('a kind that is found without its workspace has one entity of an id, in whatever workspace', async () => {
    const id = `key_${ws}`;
    await writer.append(sampleApiKey(ws, id));
    const foreign = new LaneWriter(ports.ledger, newWorkspace());
    const outcome = await foreign.append(sampleApiKey(foreign.workspaceId, id));
    expect(outcome).toEqual({ status: 'change_refused', refused: [0] });
    await foreign.append(sampleSecret(foreign.workspaceId, 'a'));
    expect(await writer.append(sampleSecret(ws, 'a'))).toEqual({ status: 'committed' });
  });

  it('what is updated, checked and removed as expected is so', async () => {
    const [a, b, c] = [sampleSecret(ws, 'a'), sampleSecret(ws, 'b'), sampleSecret(ws, 'c')];
    await writer.append(a, b, c);
    const outcome = await writer.append(
      update(secretKind, a.entity, { isCUI: true }),
      check(secretKind, b.entity),
      remove(secretKind, c.entity),
    );
    expect(outcome).toEqual({ status: 'committed' });
    expect(await secret('a')).toMatchObject({ revision: 2, isCUI: true });
    expect(await secret('b')).toMatchObject({ revision: 1 });
    expect(await secret('c')).toBeUndefined();
    const [checked] = await ports.inspector.inspect(ws, [{ kind: 'secret', id: 'b' }]);
    expect(checked?.row).toEqual({ lane: 0, seq: 1 });
  });
}
