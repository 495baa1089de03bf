import type { Workspace } from '../workspaces/workspace.ts';

/** The key-encryption keys of the whole deployment, as ARNs. */
export interface DeploymentKeys {
  /** The vault's own key: wraps what belongs to no workspace, such as second factors, whatever customers do. */
  readonly own: string;
  /** Wraps the values of workspaces without a key of their own: the vault's own, or the one customer's. */
  readonly values: string;
  /** The vault's own keys, the current one first: earlier ones still unwrap. */
  readonly allOwn: readonly string[];
}

/** The key that wraps the data keys of a workspace's new versions. */
export function wrappingKeyArn(
  { encryptionKey }: Pick<Workspace, 'encryptionKey'>,
  { values }: Pick<DeploymentKeys, 'values'>,
): string {
  return encryptionKey?.keyArn ?? values;
}
