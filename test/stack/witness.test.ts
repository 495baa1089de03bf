import { rmSync } from 'node:fs';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { findWitness, parseWitness, type WitnessConfig } from '../../lib/witness.ts';
import { addWitness } from '../../lib/witness-stack.ts';
import { emptyApp, resourcesOf } from './synth.ts';

const CONFIG: WitnessConfig = parseWitness({
  name: 'witness',
  signerName: 'witness.example.com/w1',
  watches: [{ logName: 'lockzero.acme', publicKey: Buffer.alloc(32, 1).toString('base64') }],
});

function synthWitness(config: WitnessConfig): Template {
  const app = emptyApp({ hasRules: true });
  const stack = addWitness(app, config);
  try {
    return Template.fromJSON(app.synth().getStackArtifact(stack.artifactId).template);
  } finally {
    rmSync(app.outdir, { recursive: true });
  }
}

describe('the witness stack', () => {
  const template = synthWitness(CONFIG);

  it('has one function, one table and one Ed25519 key that only the function may sign with', () => {
    template.resourceCountIs('AWS::Lambda::Function', 1);
    template.resourceCountIs('AWS::DynamoDB::GlobalTable', 1);
    template.hasResourceProperties('AWS::KMS::Key', {
      KeySpec: 'ECC_NIST_EDWARDS25519',
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Sid: 'Cosign',
            Action: 'kms:Sign',
            Condition: {
              ArnEquals: Match.anyValue(),
              StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' },
            },
          }),
        ]),
      },
    });
  });

  it('may read and write its table, and can neither delete nor scan it', () => {
    const actions = resourcesOf(template, 'AWS::IAM::ManagedPolicy').flatMap(([, { Properties }]) => {
      const { Statement } = Properties['PolicyDocument'] as { Statement: { Action: string[] }[] };
      return Statement.flatMap(({ Action }) => Action);
    });
    expect(actions.toSorted()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'kms:GetPublicKey',
      'kms:Sign',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });

  it('knows the deployments that it watches', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          WITNESS_NAME: 'witness.example.com/w1',
          WATCHED_DEPLOYMENTS: JSON.stringify(CONFIG.watches),
        }),
      },
    });
  });

  it('outlives what made it', () => {
    template.hasResource('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Retain' });
    template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain' });
  });

  it('refuses unknown names and wrong configs in one sentence', () => {
    expect(() => findWitness('nobody')).toThrow('There is no witness "nobody": choose witness');
    expect(() => parseWitness({ ...CONFIG, watches: [{ logName: 'x', publicKey: 'short' }] })).toThrow(
      'watches.0.publicKey',
    );
  });
});
