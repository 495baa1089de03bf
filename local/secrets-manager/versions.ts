import { AwsError } from '../stand-in.ts';

export interface SecretVersion {
  id: string;
  /**
   * Staging labels; each is on one version of a secret at most. A version without any is deprecated: no description names
   * it, and AWS deletes it some day. Until then, as here, it is read by its id.
   */
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
  /** Absent in what an earlier version of this stand-in wrote. */
  tags?: Record<string, string>;
  /** When it goes for good; until then it can be restored. */
  deletionDate?: number | null;
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

/**
 * Moves a staging label to a version, off the one that the caller knows it on: InvalidParameterException where it is on
 * another one by now (API Reference, "UpdateSecretVersionStage"). Without a version to move it to, the label is taken off;
 * AWSCURRENT can only be moved.
 */
export function moveLabel(
  versions: SecretVersion[],
  label: string,
  toId: string | undefined,
  fromId: string | undefined,
): SecretVersion[] {
  if (toId === undefined && (fromId === undefined || label === CURRENT)) {
    throw new AwsError('InvalidParameterException', `Name a version to move the staging label ${label} to.`);
  }
  if (toId !== undefined && !versions.some(({ id }) => id === toId)) {
    throw new AwsError('ResourceNotFoundException', `There is no version ${toId}.`);
  }
  const holder = versions.find(({ stages }) => stages.includes(label));
  if (holder !== undefined && holder.id !== toId && holder.id !== fromId) {
    throw new AwsError(
      'InvalidParameterException',
      `The staging label ${label} is on version ${holder.id}: name it in RemoveFromVersionId.`,
    );
  }
  if (fromId !== undefined && holder?.id !== fromId) {
    throw new AwsError(
      'InvalidParameterException',
      `The staging label ${label} is not on version ${fromId}.`,
    );
  }
  return versions.map((version) => {
    if (version.id === toId) return { ...version, stages: [...new Set([...version.stages, label])] };
    const stages = version.stages.filter(
      (stage) => stage !== label && !(label === CURRENT && stage === PREVIOUS),
    );
    const wasCurrent = label === CURRENT && version.id === holder?.id;
    return { ...version, stages: wasCurrent ? [...stages, PREVIOUS] : stages };
  });
}

/** Whether two versions are the same write, made twice. */
export function isSameWrite(a: SecretVersion, b: SecretVersion): boolean {
  return a.id === b.id && a.secretString === b.secretString && a.secretBinary === b.secretBinary;
}
