import { rmSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { addLockzero } from '../../lib/lockzero.ts';
import { namesOf } from '../../lib/names.ts';
import { parseStage, StageError, type StageInput } from '../../lib/stage.ts';
import { findStage, stageNames } from '../../lib/stages.ts';
import { emptyApp, synth } from './synth.ts';

const valid: StageInput = {
  name: 'test',
  archive: { mode: 'GOVERNANCE', retentionDays: 1 },
  logRetentionDays: 30,
};

describe('cdk-nag', () => {
  test.each(stageNames)('finds nothing unexplained in %s', (name) => {
    expect(() => synth(findStage(name))).not.toThrow();
  });

  test('does find a careless bucket beside them', () => {
    const app = emptyApp();
    addLockzero(app, findStage('development'));
    new Bucket(new Stack(app, 'Careless'), 'Bucket');
    try {
      expect(() => app.synth()).toThrow(/AwsSolutions-S1[\s\S]*NIST\.800\.53\.R5-S3BucketVersioningEnabled/);
    } finally {
      rmSync(app.outdir, { recursive: true });
    }
  });
});

describe('findStage', () => {
  test('takes development where none is named, and knows the region of each', () => {
    expect(findStage(undefined)).toMatchObject({ name: 'development', region: 'us-east-1', fips: false });
    expect(findStage('production')).toMatchObject({ region: 'us-east-1', archive: { mode: 'COMPLIANCE' } });
    expect(findStage('production-eu')).toMatchObject({
      region: 'eu-central-1',
      archive: { mode: 'COMPLIANCE' },
    });
  });

  test.each(['prod', '', 7, '__proto__'])('answers %p with one sentence and the valid names', (name) => {
    expect(() => findStage(name)).toThrow(
      new StageError(
        `There is no stage ${JSON.stringify(name)}: choose development, production, production-eu with -c stage=<name>.`,
      ),
    );
  });
});

describe('parseStage', () => {
  test.each<[string, unknown, RegExp]>([
    ['an unknown field', { ...valid, colour: 'red' }, /colour/],
    ['a long name', { ...valid, name: 'a'.repeat(21) }, /name/],
    ['no region', { ...valid, region: 'mars' }, /region/],
    ['a retention that CloudWatch does not know', { ...valid, logRetentionDays: 31 }, /logRetentionDays/],
    [
      'a lock of no days',
      { ...valid, archive: { mode: 'GOVERNANCE', retentionDays: 0 } },
      /archive\.retentionDays/,
    ],
    [
      'FIPS in Europe',
      { ...valid, region: 'eu-central-1', fips: true },
      /fips: needs a region in the US or Canada/,
    ],
    [
      'tables destroyed beside a COMPLIANCE archive',
      { ...valid, archive: { mode: 'COMPLIANCE', retentionDays: 1 }, removal: 'destroy' },
      /removal/,
    ],
    [
      'a certificate of another region',
      {
        ...valid,
        domain: {
          name: 'vault.example.com',
          certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/a',
        },
      },
      /domain\.certificateArn: must be a certificate in the region of the stage/,
    ],
  ])('refuses %s', (_, input, message) => {
    expect(() => parseStage(input)).toThrow(StageError);
    expect(() => parseStage(input)).toThrow(message);
  });

  test('a role name fits into the 64 characters of IAM with the longest stage name and region', () => {
    const stage = parseStage({ ...valid, name: 'a'.repeat(20), region: 'ap-southeast-1' });
    expect(namesOf(stage).role('retention').length).toBeLessThanOrEqual(64);
  });
});
