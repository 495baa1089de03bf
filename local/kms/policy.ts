import { type Condition, isLike, type PolicyRequest, readConditions } from './conditions.ts';
import { malformed, readObject, readStrings } from './document.ts';

interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  readonly conditions: readonly Condition[];
}

export type KeyPolicy = readonly Statement[];

/** `denied` by a statement that says so; `unmentioned` where none allows it, which is a refusal as well. */
export type Decision = 'allowed' | 'denied' | 'unmentioned';

const ANYBODY = '*';
/** As far as they are known here: no services, no federated users, no sessions. */
const PRINCIPAL = /^(\*|\d{12}|arn:aws:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+))$/;
const ACTION = /^(\*|kms:[a-z*?]+)$/i;
/** The key that has the policy. */
const RESOURCE = /^\*$/;

/** The policy of a key that was made without one: its account's IAM decides (KMS Developer Guide, "Default key policy"). */
export function defaultPolicy(accountId: string): string {
  const statement = {
    Sid: 'Enable IAM User Permissions',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accountId}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
  return JSON.stringify({ Version: '2012-10-17', Id: 'key-default-1', Statement: [statement] }, null, 2);
}

/**
 * Reads a key policy. Throws MalformedPolicyDocumentException where it is none, and for all that AWS may know and this
 * stand-in does not: what it passed over could be what protects the key.
 */
export function readPolicy(text: string): KeyPolicy {
  const policy = readObject(parse(text), 'the policy', ['Version', 'Id', 'Statement']);
  readStrings(policy['Version'], 'Version', /^2012-10-17$/);
  const statements: readonly unknown[] = [policy['Statement']].flat();
  return statements.map(readStatement);
}

/**
 * What a key policy makes of a call. A statement that names an account speaks of everybody in it: their IAM, which
 * decides on AWS then, is taken to allow all. A denial outweighs whatever allows (IAM User Guide, "Policy evaluation
 * logic"; KMS Developer Guide, "Allowing users in other accounts to use a KMS key").
 */
export function decide(policy: KeyPolicy, request: PolicyRequest): Decision {
  const effects = policy.filter((statement) => speaksOf(statement, request)).map(({ effect }) => effect);
  if (effects.includes('Deny')) return 'denied';
  return effects.includes('Allow') ? 'allowed' : 'unmentioned';
}

function speaksOf({ principals, actions, conditions }: Statement, request: PolicyRequest): boolean {
  const { accountId, principalArn } = request;
  const names = [ANYBODY, accountId, `arn:aws:iam::${accountId}:root`, principalArn];
  const action = request.action.toLowerCase();
  return (
    principals.some((principal) => names.includes(principal)) &&
    actions.some((pattern) => isLike(action, pattern.toLowerCase())) &&
    conditions.every((holds) => holds(request))
  );
}

const MEMBERS = ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition'];

function readStatement(value: unknown): Statement {
  const statement = readObject(value, 'a statement', MEMBERS);
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') throw malformed('Effect must be Allow or Deny.');
  readStrings(statement['Resource'], 'Resource', RESOURCE);
  return {
    effect,
    principals: readPrincipals(statement['Principal']),
    actions: readStrings(statement['Action'], 'Action', ACTION),
    conditions: readConditions(statement['Condition'] ?? {}),
  };
}

function readPrincipals(value: unknown): readonly string[] {
  if (value === ANYBODY) return [ANYBODY];
  return readStrings(readObject(value, 'Principal', ['AWS'])['AWS'], 'Principal', PRINCIPAL);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('The policy must be JSON.');
  }
}
