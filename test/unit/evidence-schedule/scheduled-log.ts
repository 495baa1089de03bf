import { decodeRow } from '../../../core/audit/row.ts';
import { currentVerifierKey } from '../../../core/evidence/read-checkpoint.ts';
import { type ExportParts, exportWorkspace } from '../../../core/evidence-schedule/export-workspace.ts';
import type { Rhythm } from '../../../core/evidence-schedule/period.ts';
import { setEvidenceSchedule } from '../../../core/evidence-schedule/schedule-evidence.ts';
import { unzip } from '../../../verify/bundle.js';
import { ArchivedLog } from '../../support/archived-log.ts';
import { callerWith } from '../../support/memory-vault.ts';

/** The bundle of the first week. */
export const KEY = 'evidence/ws_1/2026-W01.zip';
/** The archive of the last day is made in the morning after it; so is the evidence. */
export const SUNDAY = Date.parse('2026-01-04T00:00:00.000Z');

/** A workspace that exists since Thursday, January 1st, 2026, and wants its evidence. */
export class ScheduledLog extends ArchivedLog {
  get exporting(): ExportParts {
    const { archive, seals, signer, logName } = this.parts;
    return { ...this.parts, log: { archive, seals, signer, logName } };
  }

  async schedule(every: Rhythm = 'week'): Promise<this> {
    const admin = callerWith({ workspaceId: this.workspaceId, role: 'owner' });
    await setEvidenceSchedule({ ...this.parts, defaultPlan: 'enterprise' }, admin, { every });
    return this;
  }

  /** Rows on each day up to and with the Sunday, all archived. Ends on Monday morning. */
  async week(rows = 4): Promise<this> {
    while (this.today <= SUNDAY) {
      await this.day(rows, 1);
      await this.run();
    }
    return this;
  }

  /** Rows on the Sunday alone, archived. */
  async sunday(rows: number): Promise<this> {
    this.goTo(SUNDAY);
    await this.day(rows);
    await this.run();
    return this;
  }

  export(parts: Partial<ExportParts> = {}, mayGoOn?: () => boolean) {
    return exportWorkspace({ ...this.exporting, ...parts }, this.workspaceId, mayGoOn);
  }

  key(): Promise<string> {
    return currentVerifierKey(this.exporting.log, this.workspaceId);
  }

  signingKeys() {
    return this.parts.signer.publicKeys();
  }

  /** All versions of what was exported: key and content. */
  evidence(): readonly (readonly [key: string, hex: string])[] {
    return [...this.archive.versions]
      .filter(([key]) => key.startsWith('evidence/'))
      .flatMap(([key, versions]) =>
        versions.map((version) => [key, Buffer.from(version?.bytes ?? []).toString('hex')] as const),
      );
  }

  /** The details of the events of the export. */
  events() {
    return this.tables
      .lane(this.lane())
      .map(({ bytes }) => decodeRow(bytes))
      .filter(({ action }) => action === 'evidence_schedule.exported')
      .map(({ detail }) => detail);
  }

  bundle(key = KEY) {
    const object = this.archive.current(key);
    if (object === undefined) throw new Error(`There is no ${key}.`);
    return unzip(Buffer.from(object.bytes));
  }
}

export async function scheduled(): Promise<ScheduledLog> {
  const log = new ScheduledLog();
  await log.begin();
  return log.schedule();
}
