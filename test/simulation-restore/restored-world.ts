import { createAuditTrail } from '../../core/audit/trail.ts';
import { allKinds } from '../../core/kinds.ts';
import { type RestoreReport, restoreDeployment } from '../../core/restore/restore-deployment.ts';
import type { RestoreParts } from '../../core/restore/restore-parts.ts';
import { FakeClock } from '../support/clock.ts';
import { MemoryArchive } from '../support/memory-archive.ts';
import { MemoryBookkeeping } from '../support/memory-bookkeeping.ts';
import { MemoryDeliveryLog } from '../support/memory-delivery-log.ts';
import { MemoryTables } from '../support/memory-ledger.ts';
import { MemoryRestoreTables } from '../support/memory-restore-tables.ts';
import { MemorySeals } from '../support/memory-seals.ts';
import { QUICK_HASHER } from '../support/memory-services.ts';
import { MemoryVerifications } from '../support/memory-verifications.ts';
import type { SeededRandom } from '../support/random.ts';
import type { History } from './history.ts';

/** The process died at a call. */
class Crash extends Error {}

/** A part of the restore that a mutant breaks. */
export type Broken = (parts: RestoreParts) => RestoreParts;

const MAX_RUNS = 60;

/** Empty tables beside the archive of a deployment that was lost, and a restore that is cut off and gone on with. */
export class RestoredWorld {
  readonly tables = new MemoryTables();
  readonly bookkeeping = new MemoryBookkeeping(this.tables);
  readonly clock: FakeClock;
  readonly history: History;
  /** How many runs died. */
  crashes = 0;
  readonly #random: SeededRandom;
  readonly #seals = new MemorySeals(this.tables);
  readonly #archive: MemoryArchive;
  readonly #restoreTables: MemoryRestoreTables;
  readonly #broken: Broken;
  #rate: number;

  constructor(history: History, random: SeededRandom, broken: Broken = (parts) => parts) {
    this.history = history;
    this.#random = random;
    this.#broken = broken;
    this.#rate = [0, 2, 5, 15][random.below(4)] ?? 0;
    this.clock = new FakeClock(history.vault.clock.now());
    this.clock.advance(random.below(600_000));
    this.#archive = new MemoryArchive(this.tables, this.clock);
    for (const [key, versions] of history.vault.log.archive.versions)
      this.#archive.versions.set(key, [...versions]);
    this.#restoreTables = new MemoryRestoreTables(this.tables, this.#seals);
    this.tables.faults = async () => this.#draw('before');
    this.tables.answers = async () => {
      this.#draw('after');
    };
  }

  /** Runs the restore until it comes to its end, with faults and deaths on the way. */
  async restore(): Promise<RestoreReport> {
    for (let runs = 1; ; runs += 1) {
      try {
        return await this.#run(runs > 1);
      } catch (error) {
        // Whoever restores runs it again, whatever it was; one day nothing goes wrong.
        if (runs === MAX_RUNS) throw error;
        if (!(error instanceof Crash) && !isUnavailable(error)) throw error;
        this.crashes += 1;
        if (runs === MAX_RUNS / 2) this.#rate = 0;
      }
    }
  }

  /** What was done about which kinds of entities, by the rows that tell of it: `<kind> <found>: <outcome>`. */
  told(): readonly string[] {
    return [...this.tables.rows.values()].flatMap(({ bytes }) => {
      const { action, detail, changes } = JSON.parse(Buffer.from(bytes).toString('utf8'));
      return action === 'entity.reconciled' ? [`${changes[0].kind} ${detail.found}: ${detail.outcome}`] : [];
    });
  }

  /** Once more, with nothing in the way. */
  async repeat(): Promise<RestoreReport> {
    this.#rate = 0;
    return this.#run(true);
  }

  #run(isResumed: boolean): Promise<RestoreReport> {
    const { tables, clock, history } = this;
    const { signer, logName } = history.vault.log;
    const archive = this.#archive;
    // A new process has no memory of where the lanes end.
    const trail = createAuditTrail({ ledger: tables.ledger, clock, random: this.#random });
    const parts: RestoreParts = {
      ledger: tables.ledger,
      store: tables.store,
      inspector: tables.inspector,
      kinds: allKinds,
      seals: this.#seals,
      archive,
      staging: archive.staging,
      signer,
      logName,
      log: { archive, seals: this.#seals, signer, logName },
      verifications: new MemoryVerifications(tables),
      deliveries: new MemoryDeliveryLog(tables),
      keys: history.vault.keys,
      deploymentKeys: history.vault.deploymentKeys,
      trail,
      clock,
      random: this.#random,
      alerts: { raise: async () => undefined },
      files: { lines: ({ key }) => linesOf(history.lines[key === 'vault' ? 'vault' : 'audit']) },
      tables: this.#restoreTables,
      settings: { apply: async () => [] },
      dummyHash: QUICK_HASHER.dummyHash,
    };
    const options = { isResumed: isResumed || this.crashes > 0, samples: 3 };
    return restoreDeployment(this.#broken(parts), history.backup, options);
  }

  #draw(when: 'before' | 'after') {
    const drawn = this.#random.below(10_000);
    if (drawn < this.#rate) throw new Crash(when);
    if (when === 'before' && drawn < 4 * this.#rate) return 'before' as const;
    return when === 'before' && drawn < 7 * this.#rate ? ('after' as const) : ('none' as const);
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'unavailable';
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
