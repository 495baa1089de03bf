import { sampleApiKey, sampleName, sampleSecret, sampleVersion } from '../../support/samples.ts';
import { scanned } from '../../support/scanned.ts';
import { LaneWriter, newWorkspace, type Ports } from './ports.ts';

/** What every `EntityInspector` must do. */
export function describeInspector(getPorts: () => Ports): void {
  let ports: Ports;
  let writer: LaneWriter;
  let ws: string;
  beforeEach(() => {
    ports = getPorts();
    ws = newWorkspace();
    writer = new LaneWriter(ports.ledger, ws);
  });

  it('answers in the order of the names, with nothing for what is not there', async () => {
    const secret = sampleSecret(ws, 's');
    await writer.append(secret, sampleVersion(ws, 's', 1), sampleApiKey(ws, `key_${ws}`));
    await writer.append(sampleName(ws, 'prod', 's', 's'));
    const found = await ports.inspector.inspect(ws, [
      { kind: 'secretName', id: 'prod/s' },
      { kind: 'secret', id: 'none' },
      { kind: 'secret', id: 's' },
      { kind: 'unheardOf', id: 's' },
      { kind: 'apiKey', id: `key_${ws}` },
      { kind: 'secretVersion', id: 's.1' },
      { kind: 'secret', id: 's' },
    ]);
    expect(found.map((one) => one && [one.kind, one.id, one.row.seq, one.exact])).toEqual([
      ['secretName', 'prod/s', 2, true],
      undefined,
      ['secret', 's', 1, true],
      undefined,
      ['apiKey', `key_${ws}`, 1, true],
      ['secretVersion', 's.1', 1, true],
      ['secret', 's', 1, true],
    ]);
    expect(found[2]).toEqual({
      workspaceId: ws,
      kind: 'secret',
      id: 's',
      entity: secret.entity,
      row: { lane: 0, seq: 1 },
      exact: true,
    });
  });

  it("does not see another workspace's entity under the same name", async () => {
    await writer.append(sampleSecret(ws, 's'));
    expect(await ports.inspector.inspect(newWorkspace(), [{ kind: 'secret', id: 's' }])).toEqual([undefined]);
    expect(await ports.inspector.inspect(ws, [])).toEqual([]);
  });

  it('takes any number of names', async () => {
    const ids = Array.from({ length: 250 }, (_, index) => `s${index}`);
    for (let start = 0; start < 250; start += 90)
      await writer.append(...ids.slice(start, start + 90).map((id) => sampleSecret(ws, id)));
    const found = await ports.inspector.inspect(
      ws,
      ids.map((id) => ({ kind: 'secret', id })),
    );
    expect(found.map((one) => one?.id)).toEqual(ids);
  });

  it('scans every entity once', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `s${index}`);
    await writer.append(...ids.map((id) => sampleSecret(ws, id)));
    const found = await scanned(ports.inspector);
    const mine = found.filter(({ workspaceId }) => workspaceId === ws);
    expect(mine.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(mine.every(({ exact, row }) => exact && row.seq === 1)).toBe(true);
  });
}
