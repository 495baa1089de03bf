import { BackupFault } from '../core/backup/backup-fault.ts';
import { VaultError } from '../core/kernel/errors.ts';
import { RestoreRefused } from '../core/restore/restore-refused.ts';
import { USAGE, UsageError } from './arguments.ts';

/** The environment does not name all that is needed. The message says what to set. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** What names the archive and the keys, see `docs/backup.md`. */
export const VARIABLES = [
  'ARCHIVE_BUCKET',
  'STAGING_BUCKET',
  'LOG_NAME',
  'CHECKPOINT_KEY_ARN',
  'SECRETS_KEY_ARNS',
] as const;

/** @throws EnvironmentError naming all that is not set. */
export function checkEnvironment(env: NodeJS.ProcessEnv): void {
  const missing = VARIABLES.filter((name) => (env[name] ?? '') === '');
  if (missing.length === 0) return;
  throw new EnvironmentError(
    `Set ${missing.join(', ')} as the functions "sealer" and "api" of the backup's stage have them: docs/backup.md, "Restoring". Nothing was read or written.`,
  );
}

/** What AWS says of a mistake that no repetition mends, and what to do about it. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /^ResourceNotFoundException/,
    'There are no such tables. Look at --to-stage, or deploy the stack Data of that stage first.',
  ],
  [/^NoSuchBucket/, 'There is no such bucket. Look at --from, ARCHIVE_BUCKET and STAGING_BUCKET.'],
  [/^NotFoundException/, 'There is no such key. Look at CHECKPOINT_KEY_ARN and SECRETS_KEY_ARNS.'],
  [/Region is missing/, 'Set AWS_REGION to the region of the stage.'],
  [
    /^(CredentialsProviderError|Expired|UnrecognizedClient|InvalidClientToken|InvalidAccessKeyId|InvalidSignature|SignatureDoesNotMatch)/,
    'AWS does not know who asks. Get credentials of the role "restore", and set AWS_PROFILE or the variables that come with them.',
  ],
  [/^AccessDenied/, 'This role may not do that. Work as the role "restore": docs/backup.md, "Restoring".'],
];

/** What went wrong and what to do, for a person. */
export function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\n\n${USAGE}`;
  if (error instanceof EnvironmentError || error instanceof RestoreRefused) return error.message;
  if (error instanceof BackupFault) return explainFault(error);
  if (error instanceof VaultError && error.code === 'unavailable') return explainUnavailable(error);
  return error instanceof Error ? `${error.name}: ${error.message}` : 'The restore failed.';
}

function explainFault({ reason, message }: BackupFault): string {
  return reason === 'unfinished'
    ? `${message} Look at --from, which names the folder of one backup; "aws s3 ls s3://<bucket>/backups/" tells which there are. If it is the right one, its export was never finished: take an older one.`
    : `The backup cannot be relied on. ${message} Take an older one, and find out what became of this one. If items of it were written already, make the tables anew first; --dry-run reads a whole backup and writes nothing.`;
}

function explainUnavailable({ message, cause }: VaultError): string {
  const said = cause instanceof Error ? `${cause.name}: ${cause.message}` : '';
  const advice = ADVICE.find(([pattern]) => pattern.test(said) || pattern.test(said.replace('Error: ', '')));
  const shown = said === '' ? '' : ` (${said})`;
  return advice === undefined
    ? `${message}${shown}\nRun the same command again with --resume: it goes on where it stopped.`
    : `${advice[1]}${shown}\nThen run the same command again, with --resume if it had begun.`;
}
