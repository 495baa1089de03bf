import { hash } from 'node:crypto';
import type { SecretVersion } from '../secrets/secret.ts';

/**
 * The id in Secrets Manager of a version of a secret: SHA-256, 64 characters of lower-case hex. Put twice, it is one version
 * there (Secrets Manager API, `ClientRequestToken`). The authentication tag is part of it, as it is of this one value: a
 * vault that was restored from a backup may give a version's number to another value, whose id then is another one. Moving
 * a value under another key changes none of this.
 */
export function copyVersionId({ workspaceId, secretId, version, tag }: SecretVersion): string {
  const value = [workspaceId, secretId, version, Buffer.from(tag).toString('hex')];
  return hash('sha256', ['lockzero copy', ...value].join('\0'), 'hex');
}
