import type { EncryptionContext } from './ciphertext.ts';
import { malformed, readObject, readStrings } from './document.ts';

/** A call, as far as a key policy looks at it. */
export interface PolicyRequest {
  /** The caller's. */
  readonly accountId: string;
  readonly principalArn: string;
  /** Such as `kms:Decrypt`. */
  readonly action: string;
  /** Empty where the operation has none. */
  readonly context: EncryptionContext;
}

export type Condition = (request: PolicyRequest) => boolean;

/** What a request has under a condition key; undefined where it has nothing. */
type Given = readonly string[] | undefined;
type Lookup = (request: PolicyRequest) => Given;
type Operator = (given: Given, asked: readonly string[]) => boolean;

/**
 * Reads the `Condition` of a statement, all of which must hold (IAM User Guide, "Condition operators" and "Multivalued
 * context keys"; KMS Developer Guide, "AWS KMS condition keys"). Throws MalformedPolicyDocumentException for an operator
 * or a key that this stand-in does not know: a policy must not seem to protect more than it does here.
 */
export function readConditions(block: unknown): readonly Condition[] {
  return Object.entries(readObject(block, 'Condition')).flatMap(([operator, tests]) =>
    Object.entries(readObject(tests, operator)).map(([key, asked]) => readCondition(operator, key, asked)),
  );
}

function readCondition(name: string, key: string, value: unknown): Condition {
  const operator = OPERATORS.get(name);
  if (operator === undefined) throw malformed(`This stand-in does not know the operator ${name}.`);
  const lookup = lookupOf(key.toLowerCase());
  if (lookup === undefined) throw malformed(`This stand-in does not know the condition key ${key}.`);
  // AWS does not say what comes of one that goes with the other sort of key.
  const isForSets = name.startsWith('For');
  if (name !== 'Null' && isForSets !== (key.toLowerCase() === CONTEXT_KEYS)) {
    throw malformed(
      `${name} does not go with ${key}: it is for keys of ${isForSets ? 'many values' : 'one'}.`,
    );
  }
  const asked = readStrings(typeof value === 'boolean' ? String(value) : value, key, NO_VARIABLE);
  return (request) => operator(lookup(request), asked);
}

/** Policy variables, `${…}`, stand for what AWS knows of the caller. */
const NO_VARIABLE = /^(?!.*\$\{)/s;

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['StringEquals', anyValue(isSame)],
  ['StringNotEquals', (given, asked) => !anyValue(isSame)(given, asked)],
  ['StringLike', anyValue(isLike)],
  ['ArnEquals', anyValue(isLikeArn)],
  ['ArnLike', anyValue(isLikeArn)],
  ['Bool', anyValue(isSame)],
  ['Null', (given, asked) => asked.includes(String(given === undefined))],
  // True where the request has no value at all.
  ['ForAllValues:StringEquals', (given = [], asked) => given.every((value) => asked.includes(value))],
  ['ForAnyValue:StringEquals', anyValue(isSame)],
]);

const CONTEXT_MEMBER = 'kms:encryptioncontext:';
const CONTEXT_KEYS = 'kms:encryptioncontextkeys';

const LOOKUPS: ReadonlyMap<string, Lookup> = new Map<string, Lookup>([
  [CONTEXT_KEYS, ({ context }) => unlessEmpty(Object.keys(context))],
  ['aws:principalarn', ({ principalArn }) => [principalArn]],
  ['aws:principalaccount', ({ accountId }) => [accountId]],
  ['kms:calleraccount', ({ accountId }) => [accountId]],
  // Every call to a stand-in is a direct one, and none of them makes a grant.
  ['kms:viaservice', () => undefined],
  ['kms:grantisforawsresource', () => undefined],
]);

/** Of a name in lower case: condition keys have no case, and neither has the context's name in one of them. */
function lookupOf(key: string): Lookup | undefined {
  if (!key.startsWith(CONTEXT_MEMBER) || key === CONTEXT_MEMBER) return LOOKUPS.get(key);
  const name = key.slice(CONTEXT_MEMBER.length);
  return ({ context }) => {
    const members = Object.entries(context).filter(([each]) => each.toLowerCase() === name);
    return unlessEmpty(members.map(([, value]) => value));
  };
}

function unlessEmpty(values: readonly string[]): Given {
  return values.length === 0 ? undefined : values;
}

/** Whether one of the request's values matches one of the policy's. */
function anyValue(matches: (value: string, pattern: string) => boolean): Operator {
  return (given = [], asked) => given.some((value) => asked.some((pattern) => matches(value, pattern)));
}

function isSame(value: string, pattern: string): boolean {
  return value === pattern;
}

/** `*` stands for any characters or none, `?` for one. */
export function isLike(value: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}

/** Each of the six parts for itself: a `*` in the account does not reach into the name. */
function isLikeArn(value: string, pattern: string): boolean {
  const patterns = arnParts(pattern);
  return arnParts(value).every((part, at) => isLike(part, patterns[at] ?? ''));
}

/** Always six: the last has the colons that are left. */
function arnParts(arn: string): readonly string[] {
  const parts = arn.split(':');
  return [0, 1, 2, 3, 4].map((at) => parts[at] ?? '').concat(parts.slice(5).join(':'));
}
