import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoints } from './environment.ts';
import { writeFileAtomic } from './json-records.ts';

/** What `dev.json` says of the vault that runs on a data directory, or ran there last. */
export interface DevConfig {
  readonly url: string;
  readonly workspaceId: string;
  /** Has the owner role. */
  readonly apiKey: string;
  /** The login of the person who owns the demo workspace. */
  readonly owner: { readonly email: string; readonly password: string };
  /** The folder with the mail that the vault has sent, a file for each message. An absolute path. */
  readonly outbox: string;
  readonly aws: Endpoints & {
    readonly region: string;
    readonly vaultTable: string;
    readonly auditTable: string;
    readonly archiveBucket: string;
    readonly stagingBucket: string;
    readonly secretsKeyArn: string;
    readonly signingKeyArn: string;
    readonly checkpointKeyArn: string;
  };
}

/** What `dev.json` says, if it is there. A damaged one counts as lost: the next start makes another. */
export function readDevConfig(dataDir: string): DevConfig | undefined {
  try {
    return (JSON.parse(readFileSync(join(dataDir, 'dev.json'), 'utf8')) as DevConfig | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Mode 0600: it holds the owner's key and login. */
export function writeDevConfig(dataDir: string, config: DevConfig): void {
  writeFileAtomic(join(dataDir, 'dev.json'), `${JSON.stringify(config, null, 2)}\n`);
}
