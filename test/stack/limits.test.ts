import { FUNCTION_NAMES, namesOf } from '../../lib/names.ts';
import { type Deployment, deploy } from './deployment.ts';
import { keyArn, largest } from './largest-stage.ts';
import { resolve } from './policy.ts';
import { resourcesOf, synthAll } from './synth.ts';

const stacks = synthAll(largest);
const templates = Object.values(stacks).filter((template) => template !== undefined);
const deployment = deploy(largest, stacks);

/** As long as it will be: imported ARNs stand for ones of the length of a key's. */
function lengthOf(value: unknown): number {
  const imported = keyArn(0);
  return JSON.stringify(resolve(value, (kind) => (kind === 'ImportValue' ? imported : undefined))).replaceAll(
    /"[A-Z]\w+\.Arn/g,
    `"${imported}`,
  ).length;
}

test('policies fit: 6,144 characters of a managed one, 20 KB of a bucket’s, 32 KB of a key’s', () => {
  const documents = (type: string, property: string) =>
    templates.flatMap((template) =>
      resourcesOf(template, type).map(([id, { Properties }]): [string, number] => [
        id,
        lengthOf(Properties[property]),
      ]),
    );
  const limits: [string, string, number][] = [
    ['AWS::IAM::ManagedPolicy', 'PolicyDocument', 6_144],
    ['AWS::S3::BucketPolicy', 'PolicyDocument', 20_480],
    ['AWS::KMS::Key', 'KeyPolicy', 32_768],
  ];
  for (const [type, property, limit] of limits) {
    const tooLong = documents(type, property).filter(([, length]) => length > limit);
    expect([type, tooLong]).toEqual([type, []]);
  }
});

test('environments fit into the 4 KB of Lambda', () => {
  const sizes = environmentsOf(deployment).filter(([, size]) => size > 4_096);
  expect(sizes).toEqual([]);
});

function environmentsOf({ functionRoles, environmentOf }: Deployment): [string, number][] {
  return [...functionRoles.keys()].map((functionName) => {
    const variables = environmentOf(functionName.replace(`lockzero-${largest.name}-`, ''));
    return [functionName, lengthOf(variables)];
  });
}

test('names fit: 64 characters of a role, 63 of a bucket', () => {
  const { role, archiveCopyBucket } = namesOf(largest);
  for (const each of [...FUNCTION_NAMES, 'snapshots', 'archive-copy', 'customer-events', 'restore'] as const)
    expect([each, role(each).length <= 64]).toEqual([each, true]);
  expect(
    String(resolve(archiveCopyBucket(largest.region))).replace(/\$\{Token[^}]*\}/, '111122223333').length,
  ).toBeLessThanOrEqual(63);
});
