import type { Template } from 'aws-cdk-lib/assertions';
import type { StageConfig } from '../../lib/stage.ts';
import {
  ACCOUNT,
  evaluate,
  type FindReference,
  list,
  type PolicyRequest,
  resolve,
  type Statement,
} from './policy.ts';
import { type Resource, synthAll } from './synth.ts';

export interface DeployedRole {
  readonly arn: string;
  readonly trust: readonly Statement[];
  /** All that its policies say; `undefined` where AWS wrote one of them: then it may be anything. */
  readonly statements: readonly Statement[] | undefined;
}

/** All stacks of a stage together, as IAM sees them: references between them are resolved. */
export interface Deployment {
  readonly region: string;
  /** By name, or by logical id where CloudFormation chooses the name. */
  readonly roles: ReadonlyMap<string, DeployedRole>;
  /** The policies of keys, by ARN. The id of a key is its logical id. */
  readonly keys: ReadonlyMap<string, readonly Statement[]>;
  /** The policies of buckets, by ARN. The name of a bucket without one is its logical id. */
  readonly buckets: ReadonlyMap<string, readonly Statement[]>;
  /** The roles of functions, by the names of the functions. */
  readonly functionRoles: ReadonlyMap<string, string>;
  /** The environment of a function of the vault. */
  environmentOf(functionName: string): Readonly<Record<string, string>>;
  readonly outputs: ReadonlyMap<string, string>;
  readonly resourceTypes: ReadonlySet<string>;
}

interface Stack {
  readonly find: FindReference;
  readonly resources: readonly (readonly [string, Resource])[];
  readonly outputs: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >;
}

export function deploy(stage: StageConfig, templates = synthAll(stage)): Deployment {
  const exports = new Map<string, string>();
  const stacks = Object.values(templates)
    .filter((template) => template !== undefined)
    .map((template) => readStack(template, stage.region, exports));
  const all = (type: string) =>
    stacks.flatMap(({ find, resources }) =>
      resources
        .filter(([, { Type }]) => Type === type)
        .map(([id, { Properties }]) => ({
          id,
          properties: resolve(Properties, find) as Record<string, unknown>,
        })),
    );
  const statements = (document: unknown): Statement[] =>
    (document as { Statement: Statement[] } | undefined)?.Statement ?? [];
  const policies = [...all('AWS::IAM::ManagedPolicy'), ...all('AWS::IAM::Policy')];

  const roles = all('AWS::IAM::Role').map(({ id, properties }): [string, DeployedRole] => {
    const name = String(properties['RoleName'] ?? id);
    const attached = policies.filter(({ properties: policy }) => list(policy['Roles']).includes(id));
    const own = attached.flatMap(({ properties: policy }) => statements(policy['PolicyDocument']));
    return [
      name,
      {
        arn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
        trust: statements(properties['AssumeRolePolicyDocument']),
        statements: properties['ManagedPolicyArns'] === undefined ? own : undefined,
      },
    ];
  });
  const bucketPolicies = all('AWS::S3::BucketPolicy').map(
    ({ properties }): [string, readonly Statement[]] => [
      `arn:aws:s3:::${properties['Bucket']}`,
      statements(properties['PolicyDocument']),
    ],
  );
  const functions = all('AWS::Lambda::Function').map(({ properties }) => properties);
  const environment = new Map(
    functions.map((properties) => [
      String(properties['FunctionName']),
      (properties['Environment'] as { Variables: Record<string, string> } | undefined)?.Variables ?? {},
    ]),
  );
  return {
    region: stage.region,
    roles: new Map(roles),
    keys: new Map(
      all('AWS::KMS::Key').map(({ id, properties }) => [
        keyArn(stage.region, id),
        statements(properties['KeyPolicy']),
      ]),
    ),
    buckets: new Map(bucketPolicies),
    functionRoles: new Map(
      functions.map((properties) => [String(properties['FunctionName']), String(properties['Role'])]),
    ),
    environmentOf: (functionName) => environment.get(`lockzero-${stage.name}-${functionName}`) ?? {},
    outputs: new Map(
      stacks.flatMap(({ find, outputs }) =>
        Object.entries(outputs).map(([name, { Value }]) => [name, String(resolve(Value, find))]),
      ),
    ),
    resourceTypes: new Set(stacks.flatMap(({ resources }) => resources.map(([, { Type }]) => Type))),
  };
}

function keyArn(region: string, id: string): string {
  return `arn:aws:kms:${region}:${ACCOUNT}:key/${id}`;
}

function readStack(template: Template, region: string, exports: Map<string, string>): Stack {
  const { Resources = {}, Outputs = {} } = template.toJSON() as {
    Resources?: Record<string, Resource>;
    Outputs?: Stack['outputs'];
  };
  const find: FindReference = (kind, name) => {
    if (kind === 'ImportValue') return exports.get(name);
    const [id = '', attribute] = name.split('.');
    const resource = Resources[id];
    if (resource?.Type === 'AWS::S3::Bucket') {
      const bucketName = String(resolve(resource.Properties['BucketName'] ?? id));
      return attribute === 'Arn' ? `arn:aws:s3:::${bucketName}` : bucketName;
    }
    return resource?.Type === 'AWS::KMS::Key' && attribute === 'Arn' ? keyArn(region, id) : undefined;
  };
  for (const { Value, Export } of Object.values(Outputs)) {
    if (Export !== undefined) exports.set(String(resolve(Export.Name)), String(resolve(Value, find)));
  }
  return { find, resources: Object.entries(Resources), outputs: Outputs };
}

/**
 * Whether somebody may do something to a resource with a policy of its own, whose statements name whole accounts or services:
 * then the identity has to be allowed as well. Who is no role of the deployment is taken for an administrator, as is a role
 * with a policy that AWS wrote.
 */
export function may(
  { roles }: Pick<Deployment, 'roles'>,
  resourcePolicy: readonly Statement[],
  request: PolicyRequest,
): boolean {
  if (evaluate(resourcePolicy, request) !== 'allowed') return false;
  const role = [...roles.values()].find(({ arn }) => arn === request.principal);
  return role?.statements === undefined || evaluate(role.statements, request) === 'allowed';
}
