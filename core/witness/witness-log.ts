import { type VerifierKey, verifierKey } from '../transparency/signed-note.ts';

/** A deployment whose logs a witness watches: one log for each workspace, all signed with one key. */
export interface WatchedDeployment {
  /** What the origins of its logs begin with, up to the slash before the workspace's id. */
  readonly logName: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** The key that must have signed a log's checkpoints; `undefined` for a log that nobody asked to watch. */
export function keyOfLog(deployments: readonly WatchedDeployment[], origin: string): VerifierKey | undefined {
  const slash = origin.lastIndexOf('/');
  const deployment = deployments.find(({ logName }) => logName === origin.slice(0, slash));
  return deployment === undefined ? undefined : verifierKey(origin, deployment.publicKey);
}
