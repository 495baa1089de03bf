import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { resolve } from './policy.ts';
import { type Resource, resourcesOf, synth } from './synth.ts';

const { trail } = synth(findStage('production'));

function mappingsOf(name: string, template = trail): Record<string, unknown>[] {
  return resourcesOf(template, 'AWS::Lambda::EventSourceMapping')
    .map(([, { Properties }]) => Properties)
    .filter((properties) => String(resolve(properties['FunctionName'])).startsWith(name));
}

function queue(name: string): Resource {
  const found = resourcesOf(trail, 'AWS::SQS::Queue').find(([id]) => id.startsWith(name));
  if (found === undefined) throw new Error(`There is no queue ${name}.`);
  return found[1];
}

/** A stream's batches come again until they succeed, for as long as the stream keeps them. */
const PATIENT = {
  StartingPosition: 'TRIM_HORIZON',
  BatchSize: 100,
  MaximumBatchingWindowInSeconds: 1,
  BisectBatchOnFunctionError: true,
  MaximumRecordAgeInSeconds: 86_400,
  DestinationConfig: {
    OnFailure: { Destination: { 'Fn::GetAtt': [expect.stringContaining('FailedRuns'), 'Arn'] } },
  },
};

describe('the streams', () => {
  test('wake the dispatcher for new audit rows only', () => {
    const [mapping, ...others] = mappingsOf('DispatcherFunction');
    expect(others).toEqual([]);
    expect(mapping).toMatchObject({
      ...PATIENT,
      FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] },
    });
    expect(JSON.stringify(mapping?.['EventSourceArn'])).toMatch(/Audit[0-9A-F]+StreamArn/);
    expect(mapping).not.toHaveProperty('MaximumRetryAttempts');
  });

  test('wake the guard for every change of both tables', () => {
    const mappings = mappingsOf('GuardFunction');
    expect(mappings).toHaveLength(2);
    for (const mapping of mappings) {
      expect(mapping).toMatchObject(PATIENT);
      expect(mapping).not.toHaveProperty('FilterCriteria');
      expect(mapping).not.toHaveProperty('MaximumRetryAttempts');
      // It throws for a batch as a whole: an answer that Lambda would misread as success must not count.
      expect(mapping).not.toHaveProperty('FunctionResponseTypes');
    }
    const streams = mappings.map((mapping) => JSON.stringify(mapping['EventSourceArn']));
    expect(streams.sort()).toEqual([
      expect.stringMatching(/Audit[0-9A-F]+StreamArn/),
      expect.stringMatching(/Vault[0-9A-F]+StreamArn/),
    ]);
  });

  test('have two readers at most', () => {
    const sources = resourcesOf(trail, 'AWS::Lambda::EventSourceMapping')
      .map(([, { Properties }]) => JSON.stringify(Properties['EventSourceArn']))
      .filter((source) => source.includes('StreamArn'));
    for (const source of sources) {
      expect(sources.filter((each) => each === source).length).toBeLessThanOrEqual(2);
    }
  });
});

describe.each([
  ['Seal', 'SealerFunction', 900],
  ['Delivery', 'DelivererFunction', 90],
])('the queue %s', (name, handler, timeout) => {
  test('is FIFO, encrypted, and hides a message for six times what its function may take', () => {
    expect(queue(`${name}Queue`).Properties).toMatchObject({
      FifoQueue: true,
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
      SqsManagedSseEnabled: true,
      VisibilityTimeout: 6 * timeout,
    });
  });

  test('gives a message up after five tries, to a FIFO queue that keeps it for 14 days', () => {
    expect(queue(`${name}Queue`).Properties['RedrivePolicy']).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [expect.stringMatching(`^${name}DeadLetters`), 'Arn'] },
      maxReceiveCount: 5,
    });
    expect(queue(`${name}DeadLetters`).Properties).toMatchObject({
      FifoQueue: true,
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
  });

  test('wakes its function for ten messages at a time', () => {
    expect(mappingsOf(handler)).toEqual([
      expect.objectContaining({
        EventSourceArn: { 'Fn::GetAtt': [expect.stringMatching(`^${name}Queue`), 'Arn'] },
        BatchSize: 10,
        ScalingConfig: { MaximumConcurrency: 5 },
      }),
    ]);
  });
});

test('every queue refuses plain HTTP', () => {
  const queues = resourcesOf(trail, 'AWS::SQS::Queue').map(([id]) => id);
  const policies = resourcesOf(trail, 'AWS::SQS::QueuePolicy');
  expect(policies.flatMap(([, { Properties }]) => resolve(Properties['Queues'])).sort()).toEqual(
    queues.sort(),
  );
  for (const [, { Properties }] of policies) {
    expect(Properties['PolicyDocument']).toMatchObject({
      Statement: [
        { Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ],
    });
  }
});

test('a stage may name its logs and its witnesses, which the sealer learns', () => {
  const witnesses = [
    { url: 'https://witness.example.com', verifierKey: `witness.example.com/w1+01234567+${'A'.repeat(44)}` },
  ];
  const stage = parseStage({ ...findStage('development'), logName: 'log.example.com', witnesses });
  const { trail: named } = synth(stage);
  named.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'lockzero-development-sealer',
    Environment: { Variables: { LOG_NAME: 'log.example.com', WITNESSES: JSON.stringify(witnesses) } },
  });
  named.hasOutput('LogName', { Value: 'log.example.com' });
});
