import { BackupFault } from '../../../core/backup/backup-fault.ts';
import type { Backup } from '../../../core/backup/read-manifest.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { checkStage } from '../../../ops/check-stage.ts';
import { explain } from '../../../ops/explain.ts';

function awsError(name: string, message = 'no'): Error {
  return Object.assign(new Error(message), { name });
}

test.each([
  ['ResourceNotFoundException', 'Look at --to-stage'],
  ['NoSuchBucket', 'Look at --from, ARCHIVE_BUCKET and STAGING_BUCKET.'],
  ['NotFoundException', 'Look at CHECKPOINT_KEY_ARN'],
  ['CredentialsProviderError', 'Get credentials of the role "restore"'],
  ['ExpiredTokenException', 'Get credentials of the role "restore"'],
  ['AccessDeniedException', 'Work as the role "restore"'],
])('%s is told with what to look at', (name, advice) => {
  expect(explain(unavailable('The store does not answer right now. Try again.', awsError(name)))).toContain(
    advice,
  );
});

test('what passes by itself is told with --resume, and a region that is missing by its variable', () => {
  const said = explain(unavailable('The store does not answer right now. Try again.', awsError('Error')));
  expect(said).toMatch(/ with --resume: it goes on where it stopped\.$/);
  expect(explain(unavailable('x', awsError('Error', 'Region is missing')))).toContain('Set AWS_REGION');
});

test('a backup that is not there is told apart from one that is damaged', () => {
  expect(explain(new BackupFault('unfinished', 'k', 'There is none.'))).toContain('Look at --from');
  expect(explain(new BackupFault('altered', 'k', 'It is another.'))).toContain('make the tables anew first');
});

test('a backup comes back to its own stage only', () => {
  const named = (stage: string): Backup => {
    const table = (name: string) => ({ tableArn: `arn:aws:dynamodb:r:1:table/lockzero-${stage}-${name}` });
    return { instant: 0, tables: { vault: table('vault'), audit: table('audit') } } as unknown as Backup;
  };
  expect(() => checkStage(named('production'), 'production')).not.toThrow();
  expect(() => checkStage(named('production'), 'staging')).toThrow(/lockzero-production-vault.* add --drill/);
});
