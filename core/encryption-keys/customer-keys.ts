/** Whose keys workspaces may bring, and who works with them. */
export interface CustomerKeys {
  /** The accounts whose keys the deployment takes. */
  readonly accounts: 'any' | readonly string[];
  /** Keys of the vault's own account that the operator gave to a workspace. */
  readonly granted: readonly { readonly workspaceId: string; readonly keyArn: string }[];
  readonly users: KeyUsers;
}

/** The roles of the vault that a key's policy has to let in, as ARNs. */
export interface KeyUsers {
  /** Seals, opens and, to prove a key, moves. */
  readonly api: string;
  /** Moves values from key to key. */
  readonly rewrapper: string;
  /** Opens what goes into the customer's Secrets Manager. */
  readonly syncer: string;
}
