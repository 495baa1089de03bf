export const ACCOUNT = '111122223333';

/** A policy statement as it stands in a template. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

/** A request to a resource whose policy is evaluated. */
export interface PolicyRequest {
  /** The ARN of an IAM principal of the account, or the name of a service principal. */
  readonly principal: string;
  readonly action: string;
  /** What is asked for, where the policy names more than the one resource that it stands on. */
  readonly resource?: string;
  /** Condition keys; a list for keys with several values. `aws:PrincipalArn` follows from the principal. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export type Decision = 'allowed' | 'denied' | 'not allowed';

/**
 * Evaluates a policy by the rules of IAM: an explicit Deny wins, and a statement counts where its principal, action and
 * every condition match; the statements of an identity have no principal. An operator that it does not know throws, so
 * that no test passes by ignorance.
 */
export function evaluate(statements: readonly Statement[], request: PolicyRequest): Decision {
  const matching = statements.filter((statement) => matches(statement, request));
  if (matching.some((statement) => statement.Effect === 'Deny')) return 'denied';
  return matching.some((statement) => statement.Effect === 'Allow') ? 'allowed' : 'not allowed';
}

/** Statements are evaluated by the ten thousand, and each says the same every time. */
const resolved = new WeakMap<Statement, Statement>();

function matches(given: Statement, request: PolicyRequest): boolean {
  const statement = resolved.get(given) ?? (resolve(given) as Statement);
  resolved.set(given, statement);
  // First, because it rules most statements out.
  if (!list(statement.Action).some((pattern) => like(pattern, request.action))) return false;
  const isService = !request.principal.startsWith('arn:');
  const context: Record<string, readonly string[]> = isService
    ? {}
    : { 'aws:PrincipalArn': [request.principal] };
  for (const [key, value] of Object.entries(request.context ?? {})) context[key] = list(value);
  return (
    (statement.Principal === undefined ||
      principalMatches(statement.Principal, request.principal, isService)) &&
    resourceMatches(statement, request.resource) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, list(wanted), context[key])),
    )
  );
}

function resourceMatches({ Resource, NotResource }: Statement, actual: string | undefined): boolean {
  if (actual === undefined) return true;
  const names = (resources: unknown): boolean => list(resources).some((pattern) => like(pattern, actual));
  return NotResource === undefined ? names(Resource) : !names(NotResource);
}

function principalMatches(principal: unknown, actual: string, isService: boolean): boolean {
  if (principal === '*') return true;
  const { AWS, Service } = principal as { AWS?: unknown; Service?: unknown };
  if (isService) return list(Service ?? []).includes(actual);
  // The root of an account means everybody in it whom IAM lets.
  const wholeAccount = `arn:aws:iam::${actual.split(':')[4]}:root`;
  return list(AWS ?? []).some((arn) => arn === '*' || arn === wholeAccount || arn === actual);
}

function holds(operator: string, wanted: readonly string[], actual: readonly string[] | undefined): boolean {
  const any = (test: (pattern: string, value: string) => boolean) =>
    (actual ?? []).some((value) => wanted.some((pattern) => test(pattern, value)));
  switch (operator) {
    case 'StringEquals':
    case 'Bool':
      return any((pattern, value) => pattern === value);
    case 'StringLike':
    case 'ArnLike':
    case 'ArnEquals':
      return any(like);
    case 'NumericLessThan':
      return any((pattern, value) => Number(value) < Number(pattern));
    case 'ArnNotEquals':
      return !any(like);
    case 'StringNotEquals':
      return !any((pattern, value) => pattern === value);
    case 'ForAllValues:StringEquals':
      return (actual ?? []).every((value) => wanted.includes(value));
    case 'Null':
      return wanted[0] === String(actual === undefined);
    default:
      throw new Error(`This test does not know the operator ${operator}.`);
  }
}

function like(pattern: string, value: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === value;
  const compiled = patterns.get(pattern) ?? compile(pattern);
  patterns.set(pattern, compiled);
  return compiled.test(value);
}

const patterns = new Map<string, RegExp>();

function compile(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** What a reference of a template stands for; `undefined` where it is not known. */
export type FindReference = (kind: 'Ref' | 'GetAtt' | 'ImportValue', name: string) => string | undefined;

/**
 * A template value with the account, partition and URL suffix put in, and what `find` knows. Other references become their
 * logical id.
 */
export function resolve(value: unknown, find: FindReference = () => undefined): unknown {
  if (Array.isArray(value)) return value.map((part) => resolve(part, find));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [key, inner] = entries[0] ?? [];
  if (entries.length === 1 && key === 'Ref') {
    if (inner === 'AWS::AccountId') return ACCOUNT;
    if (inner === 'AWS::Partition') return 'aws';
    if (inner === 'AWS::URLSuffix') return 'amazonaws.com';
    return find('Ref', String(inner)) ?? String(inner);
  }
  if (entries.length === 1 && key === 'Fn::Join') {
    const [separator, parts] = inner as [string, unknown[]];
    return parts.map((part) => resolve(part, find)).join(separator);
  }
  if (entries.length === 1 && key === 'Fn::GetAtt') {
    const name = (inner as string[]).join('.');
    return find('GetAtt', name) ?? name;
  }
  if (entries.length === 1 && key === 'Fn::ImportValue') {
    const name = String(resolve(inner, find));
    return find('ImportValue', name) ?? name;
  }
  return Object.fromEntries(entries.map(([name, part]) => [name, resolve(part, find)]));
}

export function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value : [value as string];
}
