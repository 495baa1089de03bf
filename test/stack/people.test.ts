import type { Template } from 'aws-cdk-lib/assertions';
import { parseStage, type StageInput } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { list, resolve, type Statement } from './policy.ts';
import { resourcesOf, synth } from './synth.ts';

const base: StageInput = {
  name: 'people',
  account: '111122223333',
  archive: { mode: 'GOVERNANCE', retentionDays: 1 },
  logRetentionDays: 30,
};
const identityArn = 'arn:aws:ses:us-east-1:111122223333:identity/example.com';

const { api: plain } = synth(findStage('production'));
const { api, keys } = synth(
  parseStage({
    ...base,
    domain: {
      name: 'vault.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d',
    },
    mail: { from: 'vault@mail.example.com' },
    signingKeys: [2, 1],
  }),
);
const { api: withIdentity } = synth(
  parseStage({ ...base, mail: { from: 'vault@mail.example.com', identityArn } }),
);

/** Each statement of the policies of the stack, the api role's, that allows an action. */
function statementsFor(action: string, template: Template): Statement[] {
  return resourcesOf(template, 'AWS::IAM::ManagedPolicy')
    .flatMap(([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement)
    .filter((statement) => list(statement.Action).includes(action));
}

/** The keys of access tokens that an action is allowed on, by number. */
function signingKeysOf(action: string): string[] {
  const resources = statementsFor(action, api).flatMap((statement) => list(resolve(statement.Resource)));
  const ofTokens = resources.filter((resource) => !resource.includes('CheckpointKey'));
  return ofTokens.map((resource) => /Signing(\d+)Key/.exec(resource)?.[1] ?? resource).sort();
}

function variablesOf(template: Template): Record<string, unknown> {
  const [, found] =
    resourcesOf(template, 'AWS::Lambda::Function').find(([id]) => id.startsWith('ApiFunction')) ?? [];
  if (found === undefined) throw new Error('There is no function api.');
  const { Variables } = found.Properties['Environment'] as { Variables: Record<string, unknown> };
  return Variables;
}

describe('signing keys', () => {
  test('the first signs and is named first, and both verify', () => {
    expect(signingKeysOf('kms:Sign')).toEqual(['2']);
    expect(signingKeysOf('kms:GetPublicKey')).toEqual(['1', '2']);
    const arns = String(resolve(variablesOf(api)['SIGNING_KEY_ARNS'])).split(',');
    expect(arns).toEqual([expect.stringContaining('Signing2Key'), expect.stringContaining('Signing1Key')]);
  });

  test('each is a key of its own with the same policy, so that the next one takes over without a gap', () => {
    const [[, first] = [], [, second] = [], ...others] = resourcesOf(keys, 'AWS::KMS::Key').filter(([id]) =>
      id.startsWith('Signing'),
    );
    expect(others).toEqual([]);
    expect(first?.Properties['KeyPolicy']).toBeDefined();
    expect(second?.Properties['KeyPolicy']).toEqual(first?.Properties['KeyPolicy']);
  });
});

describe('the public URL', () => {
  test('is the domain where there is one', () => {
    expect(variablesOf(api)['PUBLIC_URL']).toBe('https://vault.example.com');
  });

  test('is the execute-api endpoint with its stage otherwise, as the output says', () => {
    const url = resolve(variablesOf(plain)['PUBLIC_URL']);
    const [[apiId] = []] = resourcesOf(plain, 'AWS::ApiGateway::RestApi');
    expect(url).toBe(`https://${apiId}.execute-api.us-east-1.amazonaws.com/live`);
    const [{ Value } = { Value: undefined }] = Object.values(plain.findOutputs('ApiUrl'));
    expect(resolve(Value)).toBe(`${url}/`);
  });
});

describe('mail', () => {
  test('goes out from the one address, by the identity of its domain', () => {
    expect(resolve(statementsFor('ses:SendEmail', api))).toEqual([
      {
        Effect: 'Allow',
        Action: 'ses:SendEmail',
        Resource: 'arn:aws:ses:us-east-1:111122223333:identity/mail.example.com',
        Condition: { StringEquals: { 'ses:FromAddress': 'vault@mail.example.com' } },
      },
    ]);
    expect(variablesOf(api)['MAIL_FROM']).toBe('vault@mail.example.com');
  });

  test('goes out by the identity that the stage names', () => {
    expect(statementsFor('ses:SendEmail', withIdentity)).toEqual([
      {
        Effect: 'Allow',
        Action: 'ses:SendEmail',
        Resource: identityArn,
        Condition: { StringEquals: { 'ses:FromAddress': 'vault@mail.example.com' } },
      },
    ]);
  });

  test('cannot be sent by a stage that names no sender', () => {
    expect(JSON.stringify(plain.toJSON())).not.toContain('ses:');
    expect(variablesOf(plain)).not.toHaveProperty('MAIL_FROM');
  });
});
