import { AwsError } from '../stand-in.ts';

export interface SecretVersion {
  id: string;
  /** Staging labels; each is on one version of a secret at most. */
  stages: string[];
  createdAt: number;
  secretString: string | null;
  /** Base64. */
  secretBinary: string | null;
}

export interface SecretRecord {
  name: string;
  arn: string;
  description: string | null;
  kmsKeyId: string | null;
  createdAt: number;
  changedAt: number;
  versions: SecretVersion[];
}

export const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

/**
 * Adds a version and moves its staging labels to it; the version that loses AWSCURRENT gets AWSPREVIOUS. A version
 * whose id is known is a retry: the same value changes nothing, another value is ResourceExistsException.
 */
export function addVersion(versions: SecretVersion[], added: SecretVersion): SecretVersion[] {
  const known = versions.find(({ id }) => id === added.id);
  if (known !== undefined) {
    if (isSameWrite(known, added)) return versions;
    throw new AwsError('ResourceExistsException', `Version ${added.id} exists with another value.`);
  }
  const takesCurrent = added.stages.includes(CURRENT);
  const moved = versions.map((version) => {
    const kept = version.stages.filter(
      (stage) => !added.stages.includes(stage) && !(takesCurrent && stage === PREVIOUS),
    );
    const wasCurrent = takesCurrent && version.stages.includes(CURRENT);
    return { ...version, stages: wasCurrent ? [...kept, PREVIOUS] : kept };
  });
  return [...moved, added];
}

/** Whether two versions are the same write, made twice. */
export function isSameWrite(a: SecretVersion, b: SecretVersion): boolean {
  return a.id === b.id && a.secretString === b.secretString && a.secretBinary === b.secretBinary;
}
