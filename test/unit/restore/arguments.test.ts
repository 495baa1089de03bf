import { readArguments, UsageError } from '../../../ops/arguments.ts';

const S3 = 's3://backups-1/backups/2026-11-22T00-00-00Z/';

test('an order to restore names backup and stage', () => {
  expect(readArguments(['--from', S3, '--to-stage', 'drill', '--drill', '--samples', '0'])).toEqual({
    command: 'restore',
    from: { bucket: 'backups-1', prefix: 'backups/2026-11-22T00-00-00Z/' },
    stage: 'drill',
    isResumed: false,
    isDrill: true,
    samples: 0,
  });
  expect(readArguments(['--from', './copy', '--to-stage', 'prod', '--resume'])).toMatchObject({
    from: { folder: './copy' },
    isResumed: true,
    isDrill: false,
    samples: 3,
  });
});

test('a slash at the end of the folder may be left out', () => {
  expect(readArguments(['--from', S3.slice(0, -1), '--dry-run'])).toEqual({
    command: 'survey',
    from: { bucket: 'backups-1', prefix: 'backups/2026-11-22T00-00-00Z/' },
  });
});

test('help needs nothing else', () => {
  expect(readArguments(['--help'])).toEqual({ command: 'help' });
});

test.each([
  { name: 'no backup', args: ['--to-stage', 'prod'] },
  { name: 'no stage', args: ['--from', S3] },
  { name: 'a stage that is none', args: ['--from', S3, '--to-stage', 'Prod/'] },
  { name: 'a number that is none', args: ['--from', S3, '--to-stage', 'prod', '--samples', 'all'] },
  {
    name: 'more samples than anybody may open',
    args: ['--from', S3, '--to-stage', 'prod', '--samples', '101'],
  },
  { name: 'an address without a bucket', args: ['--from', 's3:///backups/', '--to-stage', 'prod'] },
  { name: 'an option that is not known', args: ['--from', S3, '--force'] },
])('$name is refused with the usage', ({ args }) => {
  expect(() => readArguments(args)).toThrow(UsageError);
});
