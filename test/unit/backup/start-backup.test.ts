import { startBackup } from '../../../core/backup/start-backup.ts';
import type { ExportRequest } from '../../../core/backup/table-exports.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { memoryVault, rowsOf } from '../../support/memory-vault.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ONE_O_CLOCK = Date.parse('2026-11-22T01:00:00Z');

/** DynamoDB, as far as it knows a request by its token. */
class MemoryExports {
  readonly byToken = new Map<string, ExportRequest>();
  readonly asked: ExportRequest[] = [];
  readonly #vault = memoryVault();

  readonly parts = {
    ...this.#vault,
    tables: { vault: 'prod-vault', audit: 'prod-audit' },
    exports: {
      start: (request: ExportRequest) =>
        this.#vault.tables.call(`exports.${request.tableName}`, () => {
          this.asked.push(request);
          this.byToken.set(request.clientToken, request);
          return `arn:aws:dynamodb:eu-central-1:1:table/${request.tableName}/export/0${request.instant}-ab`;
        }),
    },
  };

  get vault() {
    return this.#vault;
  }

  goTo(time: number): void {
    this.vault.clock.advance(time - this.vault.clock.now());
  }

  get rows() {
    return rowsOf(this.vault, PLATFORM_WORKSPACE).filter(({ action }) => action === 'backup.started');
  }
}

let exports: MemoryExports;
beforeEach(() => {
  exports = new MemoryExports();
  exports.goTo(ONE_O_CLOCK);
});

const run = () => startBackup(exports.parts);
const folders = () => [...exports.byToken.values()].map(({ prefix }) => prefix);

describe('B1 a nightly backup', () => {
  it('asks for both tables as of the same instant, which is well in the past', async () => {
    const { instant } = await run();
    expect(new Date(instant).toISOString()).toBe('2026-11-22T00:00:00.000Z');
    expect(exports.asked).toMatchObject([
      { tableName: 'prod-vault', instant, prefix: 'backups/2026-11-22T00-00-00Z/vault' },
      { tableName: 'prod-audit', instant, prefix: 'backups/2026-11-22T00-00-00Z/audit' },
    ]);
    expect(exports.byToken.size).toBe(2);
  });

  it('is recorded with its exports', async () => {
    await run();
    expect(exports.rows).toMatchObject([
      {
        actor: { type: 'system', id: 'backup' },
        entity: { type: 'backup', id: '2026-11-22T00-00-00Z' },
        result: 'success',
        detail: { vaultExport: '01795305600000-ab', auditExport: '01795305600000-ab' },
      },
    ]);
  });

  it.each(['01:09:59', '00:10:00', '01:00:30'])('is of midnight at %s', async (time) => {
    exports.goTo(Date.parse(`2026-11-22T${time}Z`));
    expect((await run()).instant).toBe(ONE_O_CLOCK - HOUR);
  });

  it('is of the full hour once that is ten minutes over', async () => {
    exports.goTo(ONE_O_CLOCK + 10 * MINUTE);
    expect((await run()).instant).toBe(ONE_O_CLOCK);
  });
});

describe('a run that fails', () => {
  it.each(['before', 'after'] as const)(
    '%s an export was asked for is made good by the next',
    async (fault) => {
      for (const call of ['exports.prod-vault', 'exports.prod-audit']) {
        exports = new MemoryExports();
        exports.goTo(ONE_O_CLOCK);
        exports.vault.tables.faults = async ({ name }) => (name === call ? fault : 'none');
        await expect(run()).rejects.toMatchObject({ code: 'unavailable' });
        expect(exports.rows).toEqual([]);
        exports.vault.tables.faults = async () => 'none';
        exports.goTo(ONE_O_CLOCK + 5 * MINUTE);
        await run();
        expect(folders()).toEqual([
          'backups/2026-11-22T00-00-00Z/vault',
          'backups/2026-11-22T00-00-00Z/audit',
        ]);
        expect(exports.rows).toHaveLength(1);
      }
    },
  );

  it('when it records is repeated with the same exports', async () => {
    exports.vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    await expect(run()).rejects.toMatchObject({ code: 'unavailable' });
    exports.vault.tables.faults = async () => 'none';
    await run();
    expect(exports.asked).toHaveLength(4);
    expect(exports.byToken.size).toBe(2);
    expect(exports.rows).toHaveLength(1);
  });

  it('is made good by a later one with a backup of its own', async () => {
    exports.vault.tables.faults = async ({ name }) => (name === 'exports.prod-audit' ? 'before' : 'none');
    await expect(run()).rejects.toMatchObject({ code: 'unavailable' });
    exports.vault.tables.faults = async () => 'none';
    exports.goTo(ONE_O_CLOCK + 2 * HOUR);
    await run();
    expect(folders()).toEqual([
      'backups/2026-11-22T00-00-00Z/vault',
      'backups/2026-11-22T02-00-00Z/vault',
      'backups/2026-11-22T02-00-00Z/audit',
    ]);
  });
});
