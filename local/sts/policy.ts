import { isLike } from '../kms/conditions.ts';
import { AwsError } from '../stand-in.ts';

/** A call, as far as the policies of roles and sessions look at it. */
export interface PolicyCall {
  /** Such as `sts:AssumeRole`. */
  readonly action: string;
  /** The ARN that it is about. */
  readonly resource: string;
  /** Who calls, for trust policies, which name principals. */
  readonly principal?: { readonly accountId: string; readonly arn: string };
  /** What the request has under each condition key. */
  readonly values: { readonly [key: string]: string | undefined };
}

type Operator = (given: string | undefined, asked: readonly string[]) => boolean;

/** The operators that this stand-in knows (IAM User Guide, "Condition operators"). */
const OPERATORS: { readonly [name: string]: Operator } = {
  StringEquals: (given, asked) => given !== undefined && asked.includes(given),
  StringEqualsIfExists: (given, asked) => given === undefined || asked.includes(given),
  StringNotEquals: (given, asked) => given === undefined || !asked.includes(given),
  StringLike: isLikeAny,
  ArnEquals: isLikeAny,
  ArnLike: isLikeAny,
  Null: (given, asked) => asked.includes(String(given === undefined)),
};

/**
 * Whether a policy document allows a call: a statement does, and none denies it. Throws MalformedPolicyDocument for what is
 * no policy, and for operators that this stand-in does not know: what it passed over might be what protects.
 */
export function allows(document: string, call: PolicyCall): boolean {
  const effects = statementsOf(document)
    .filter((statement) => speaksOf(statement, call))
    .map(({ Effect: effect }) => effect);
  return effects.includes('Allow') && !effects.includes('Deny');
}

/** Throws MalformedPolicyDocument for what {@link allows} could not judge. */
export function checkPolicy(document: string): void {
  for (const { Condition: condition = {} } of statementsOf(document)) {
    for (const name of Object.keys(condition)) operatorNamed(name);
  }
}

interface Statement {
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: unknown;
  readonly Resource?: unknown;
  readonly Condition?: { readonly [operator: string]: { readonly [key: string]: unknown } };
}

function statementsOf(document: string): readonly Statement[] {
  try {
    const { Statement: statements } = JSON.parse(document) as { Statement?: Statement | Statement[] };
    const list = [statements ?? []].flat();
    if (list.length > 0 && list.every(({ Effect: effect, Action: action }) => effect && action)) return list;
  } catch {
    // The refusal below says all that the parser could.
  }
  throw malformed('The document must be a policy with at least one statement.');
}

function speaksOf(statement: Statement, { action, resource, principal, values }: PolicyCall): boolean {
  const { Action: actions, Resource: resources = '*', Condition: condition = {} } = statement;
  return (
    (principal === undefined || isPrincipal(statement.Principal, principal)) &&
    isLikeAny(
      action.toLowerCase(),
      strings(actions).map((each) => each.toLowerCase()),
    ) &&
    isLikeAny(resource, strings(resources)) &&
    Object.entries(condition).every(([name, tests]) =>
      Object.entries(tests).every(([key, asked]) => operatorNamed(name)(values[key], strings(asked))),
    )
  );
}

function isPrincipal(named: unknown, { accountId, arn }: NonNullable<PolicyCall['principal']>): boolean {
  const principals = strings(typeof named === 'object' && named !== null ? Object(named).AWS : named);
  return [accountId, `arn:aws:iam::${accountId}:root`, arn, '*'].some((one) => principals.includes(one));
}

function operatorNamed(name: string): Operator {
  const operator = OPERATORS[name];
  if (operator === undefined) throw malformed(`This stand-in does not know the operator ${name}.`);
  return operator;
}

function isLikeAny(given: string | undefined, patterns: readonly string[]): boolean {
  return given !== undefined && patterns.some((pattern) => isLike(given, pattern));
}

function strings(value: unknown): readonly string[] {
  return [value].flat().map((each) => String(each));
}

function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocument', message);
}
