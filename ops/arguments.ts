import { parseArgs } from 'node:util';

export const USAGE = `Brings a backup of both tables back into the empty tables of a stage.

  npm run restore -- --from <backup> --to-stage <stage> [--resume] [--drill] [--samples <number>]
  npm run restore -- --from <backup> --dry-run

  --from       s3://<bucket>/backups/<instant>/, or a folder that was copied from there
  --to-stage   fills lockzero-<stage>-vault and lockzero-<stage>-audit, which must be empty
  --resume     goes on with a restore of the same backup that was cut off
  --drill      for another stage than the backup's, which goes on: its archive is only read
  --samples    values to open in each workspace, 3 unless said otherwise; 0 opens none
  --dry-run    reads and checks the whole backup, and writes nothing
  --help       this text

The environment names the archive and the keys: ARCHIVE_BUCKET, STAGING_BUCKET, LOG_NAME, CHECKPOINT_KEY_ARN and
SECRETS_KEY_ARNS, and TENANT_KEY_ARN if there is one, as the functions "sealer" and "api" of the backup's stage have them. All
else is in docs/backup.md, "Restoring".
It ends with 0 if everything is whole, with 1 if something is not, and with 2 if it could not do its work.`;

/** Where a backup lies: the folder with `vault/` and `audit/` in it. */
export type BackupPlace = { readonly bucket: string; readonly prefix: string } | { readonly folder: string };

export type Order =
  | { readonly command: 'help' }
  | { readonly command: 'survey'; readonly from: BackupPlace }
  | {
      readonly command: 'restore';
      readonly from: BackupPlace;
      readonly stage: string;
      readonly isResumed: boolean;
      readonly isDrill: boolean;
      readonly samples: number;
    };

/** The arguments do not say what to do. The message says what is missing. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const DEFAULT_SAMPLES = 3;
const MAX_SAMPLES = 100;
const STAGE = /^[a-z][a-z0-9-]{0,30}$/;

/** @throws UsageError */
export function readArguments(args: readonly string[]): Order {
  const values = parse(args);
  if (values.help) return { command: 'help' };
  if (values.from === undefined) throw new UsageError('Say which backup with --from.');
  const from = placeOf(values.from);
  if (values['dry-run']) return { command: 'survey', from };
  const { 'to-stage': stage = '', samples = String(DEFAULT_SAMPLES) } = values;
  if (!STAGE.test(stage))
    throw new UsageError('Say with --to-stage which stage to fill, such as "restored".');
  if (!/^\d{1,3}$/.test(samples) || Number(samples) > MAX_SAMPLES)
    throw new UsageError(`--samples takes a number from 0 to ${MAX_SAMPLES}.`);
  return {
    command: 'restore',
    from,
    stage,
    isResumed: values.resume === true,
    isDrill: values.drill === true,
    samples: Number(samples),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        from: { type: 'string' },
        'to-stage': { type: 'string' },
        samples: { type: 'string' },
        resume: { type: 'boolean' },
        drill: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The arguments cannot be read.');
  }
}

function placeOf(from: string): BackupPlace {
  if (!from.startsWith('s3://')) return { folder: from };
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(from) ?? [];
  if (bucket === undefined)
    throw new UsageError('--from is no S3 address, such as s3://bucket/backups/2026-11-22T01-00-00Z/.');
  return { bucket, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` };
}
