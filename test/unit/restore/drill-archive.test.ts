import { drillArchive } from '../../../core/restore/drill-archive.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryArchive } from '../../support/memory-archive.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';

const [OLD, NEW] = [Buffer.from('old'), Buffer.from('new')];

function archives() {
  const real = new MemoryArchive(new MemoryTables(), new FakeClock());
  return { real, drill: drillArchive(real) };
}

test('what a drill writes it reads again, and the archive never sees it', async () => {
  const { real, drill } = archives();
  expect(await drill.create('log/ws/a', NEW)).toMatchObject({ status: 'created' });
  expect(await drill.create('log/ws/a', OLD)).toEqual({ status: 'exists' });
  expect((await drill.read('log/ws/a'))?.bytes).toEqual(NEW);
  expect(real.keys()).toEqual([]);
});

test('what is there is replaced for the drill alone, and only by whoever has seen it', async () => {
  const { real, drill } = archives();
  await real.create('log/ws/checkpoint', OLD);
  expect(await drill.create('log/ws/checkpoint', NEW)).toEqual({ status: 'exists' });
  expect(await drill.replace('log/ws/checkpoint', NEW, '"other"')).toEqual({ status: 'changed' });
  const etag = (await drill.read('log/ws/checkpoint'))?.etag ?? '';
  expect(await drill.replace('log/ws/checkpoint', NEW, etag)).toEqual({ status: 'replaced' });
  expect((await drill.read('log/ws/checkpoint'))?.bytes).toEqual(NEW);
  expect(Buffer.from(real.current('log/ws/checkpoint')?.bytes ?? [])).toEqual(OLD);
});

test('a checkpoint stays for the drill as it was first seen', async () => {
  const { real, drill } = archives();
  await real.create('log/ws/checkpoint', OLD);
  await drill.read('log/ws/checkpoint');
  real.put('log/ws/checkpoint', NEW);
  expect(Buffer.from((await drill.read('log/ws/checkpoint'))?.bytes ?? [])).toEqual(OLD);
});
