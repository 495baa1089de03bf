import { instantName } from '../core/backup/layout.ts';
import type { Backup } from '../core/backup/read-manifest.ts';
import type { RestoreReport, RestoreStep } from '../core/restore/restore-deployment.ts';

/** What B3 promises, in milliseconds. */
const PROMISED_MS = 30 * 60 * 1000;
/** Things named in a list before it says only how many more there are. */
const MAX_NAMED = 20;

const STEP_NAMES: { readonly [step in RestoreStep]: string } = {
  load: 'Items of the backup written',
  refill: 'Rows put back from the archive',
  compare: 'Rows compared with the signed heads',
  reconcile: 'Entities brought into line with their rows',
  settings: 'Settings of the tables',
  samples: 'Samples opened',
  verify: 'Chains verified against the signed heads',
};

/** A step that is over, on one line. */
export function stepLine(step: RestoreStep, durationMs: number): string {
  return `${STEP_NAMES[step]}: ${duration(durationMs)}`;
}

/** What a backup is. */
export function backupLines({ instant, tables }: Backup): readonly string[] {
  const bytes = tables.vault.billedSizeBytes + tables.audit.billedSizeBytes;
  return [
    `Backup of ${new Date(instant).toISOString()} (${instantName(instant)})`,
    `  vault ${count(tables.vault.itemCount, 'item')}, audit ${count(tables.audit.itemCount, 'row')}, ${size(bytes)}`,
  ];
}

/** The report of a restore, for a person. No values, no names of secrets: ids only. */
export function reportLines(report: RestoreReport): readonly string[] {
  const { backup, loaded, refilled, unsealed, workspaces, isGood } = report;
  const taken = [...report.steps.values()].reduce((sum, ms) => sum + ms, 0);
  return [
    '',
    ...backupLines(backup),
    ...loadedLines(loaded),
    `${count(workspaces, 'workspace')}, ${count(refilled, 'row')} put back from the archive`,
    ...(unsealed > 0
      ? [
          `${count(unsealed, 'row')} of the backup under no signature: what they opened was closed, see docs/backup.md`,
        ]
      : []),
    ...reconciledLines(report),
    ...settingLines(report),
    ...sampleLines(report),
    ...verdictLines(report),
    '',
    `Time: ${duration(taken)} of ${duration(PROMISED_MS)}.`,
    isGood
      ? 'Everything is whole. Give the functions their concurrency back: docs/backup.md, "Restoring".'
      : 'Something is not whole: see above. Hold the functions, and go on with docs/RUNBOOK.md, "The audit trail does not verify".',
  ];
}

function loadedLines(loaded: RestoreReport['loaded']): readonly string[] {
  if (loaded === undefined) return ['All items were written by an earlier run.'];
  const { vault, audit } = loaded;
  return [
    `${count(vault.written + audit.written, 'item')} written, ${vault.same + audit.same} there already, ` +
      `${vault.expired} past their time, ${vault.dropped} of bookkeeping left out`,
  ];
}

function reconciledLines({ scanned, ...report }: RestoreReport): readonly string[] {
  const reconciled = [...report.earlier, ...report.reconciled];
  const kinds = Map.groupBy(reconciled, ({ kind, discord, outcome }) => `${kind} ${discord}: ${outcome}`);
  const lines = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, of]) => `  ${of.length} ${name}`);
  return [
    `${count(scanned.entities, 'entity', 'entities')}, ${reconciled.length} reconciled`,
    ...lines,
    ...(scanned.withoutValue > 0
      ? [
          `  ${count(scanned.withoutValue, 'secret')} of which no value is left: have their owners set them anew`,
        ]
      : []),
    ...(scanned.cursors > 0 ? [`  ${count(scanned.cursors, 'webhook')} put back to the last row`] : []),
    ...(scanned.left > 0
      ? [`  ${count(scanned.left, 'entity', 'entities')} that no row explains, left as evidence`]
      : []),
    ...listLines('Values that are lost, to be set anew:', lostValues(reconciled)),
    ...listLines(
      'Closed; give anew what is still wanted:',
      reconciled.filter(({ outcome }) => outcome === 'closed'),
    ),
    ...listLines(
      'Altered by somebody:',
      reconciled.filter(({ discord }) => discord === 'unexplained'),
    ),
    ...(reconciled.length > 0
      ? ['All of it is in the trail of each workspace: GET /audit?action=entity.reconciled']
      : []),
  ];
}

/** Values of secrets; the names of secrets are names, and stay out. */
function lostValues(reconciled: RestoreReport['reconciled']): RestoreReport['reconciled'] {
  return reconciled.filter(({ kind, outcome }) => kind === 'secretVersion' && outcome === 'lost');
}

function listLines(title: string, things: RestoreReport['reconciled']): readonly string[] {
  const told = things.map(({ workspaceId, kind, id }) => `  ${workspaceId} ${kind} ${id}`);
  return told.length === 0 ? [] : [title, ...named(told)];
}

function settingLines({ settings }: RestoreReport): readonly string[] {
  return settings
    .filter(({ outcome }) => outcome !== 'right')
    .map(({ table, setting, outcome }) =>
      outcome === 'absent'
        ? `${table}: the ${setting} is absent. Deploy the stack Data before anything writes.`
        : `${table}: ${setting} ${outcome === 'applied' ? 'set' : 'is not known to this database, and left out'}`,
    );
}

function sampleLines({ samples }: RestoreReport): readonly string[] {
  const { opened, leftOut, failures } = samples;
  const told = failures.map(({ workspaceId, id, code }) => `  ${workspaceId} ${id}: ${code}`);
  return [
    `${count(opened, 'sample')} opened, ${failures.length} failed`,
    ...named(told),
    ...(leftOut > 0
      ? [
          `${count(leftOut, 'sample')} left out: they lie under customers’ keys, none that SECRETS_KEY_ARNS or TENANT_KEY_ARN names`,
        ]
      : []),
  ];
}

function verdictLines({ verdicts }: RestoreReport): readonly string[] {
  const rows = verdicts.reduce((sum, { findings }) => sum + findings.rows, 0);
  const broken = verdicts.reduce((sum, { findings }) => sum + findings.broken, 0);
  const told = verdicts.flatMap(({ workspaceId, findings }) =>
    findings.breaks.map(({ lane, seq, reason, entity }) => {
      const about = entity === undefined ? '' : ` (${entity.kind}/${entity.id})`;
      return `  ${workspaceId} row ${lane}-${seq}: ${reason}${about}`;
    }),
  );
  return [`${count(rows, 'row')} verified, ${count(broken, 'break')}`, ...named(told)];
}

function named(lines: readonly string[]): readonly string[] {
  const more = lines.length - MAX_NAMED;
  return more > 0 ? [...lines.slice(0, MAX_NAMED), `  and ${more} more`] : lines;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

function size(bytes: number): string {
  const megabytes = bytes / 1_000_000;
  return megabytes < 1000 ? `${megabytes.toFixed(1)} MB` : `${(megabytes / 1000).toFixed(1)} GB`;
}
