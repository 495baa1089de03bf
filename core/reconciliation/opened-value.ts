import { isId, isUuid, PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { CallContext } from './key-calls.ts';

/** Which value a data key belongs to: a version of a secret, or, on the platform, of a person's second factor. */
export interface OpenedValue {
  readonly workspaceId: string;
  readonly secretId: string;
  readonly version: string;
}

const VERSION = /^[1-9]\d{0,15}$/;
const MEMBERS = 3;

/** Reads an encryption context as the vault makes it; undefined for any other, which somebody else made. */
export function valueOfContext(context: CallContext): OpenedValue | undefined {
  const { workspaceId = '', secretId = '', version = '' } = context;
  if (Object.keys(context).length !== MEMBERS || !VERSION.test(version)) return undefined;
  const isTenants = isId('ws', workspaceId) && isId('sec', secretId);
  const isPersons = workspaceId === PLATFORM_WORKSPACE && isUuid(secretId);
  return isTenants || isPersons ? { workspaceId, secretId, version } : undefined;
}

/** Whether two encryption contexts name the same value. */
export function isSameValue(one: CallContext, other: CallContext): boolean {
  const [first, second] = [valueOfContext(one), valueOfContext(other)];
  return first !== undefined && second !== undefined && valueKey(first) === valueKey(second);
}

/** As a key of a map; no part has a slash. */
export function valueKey({ workspaceId, secretId, version }: OpenedValue): string {
  return `${workspaceId}/${secretId}/${version}`;
}

export function parseValueKey(key: string): OpenedValue {
  const [workspaceId = '', secretId = '', version = ''] = key.split('/');
  return { workspaceId, secretId, version };
}
