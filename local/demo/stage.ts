import type { DevConfig } from '../dev-config.ts';
import { type Client, createClient } from './client.ts';
import { createInsider, type Insider } from './insider.ts';
import { createNarrator, type Narrator } from './narrator.ts';

/** What every scene works with. */
export interface Stage extends Narrator {
  readonly url: string;
  readonly workspaceId: string;
  /** The owner's. */
  readonly apiKey: string;
  readonly owner: Client;
  /** Of Ada, the person who owns the workspace. */
  readonly ownerLogin: DevConfig['owner'];
  /** Where the stand-ins for AWS are reached. */
  readonly aws: DevConfig['aws'];
  readonly insider: Insider;
  /** The folder where the vault's mail lies. */
  readonly outbox: string;
  /** Made by this telling, so that the story can be told again and again. */
  readonly namespace: string;
  readonly startedAt: Date;
}

/** @param signal ends the story before its next scene. */
export function createStage(
  { url, workspaceId, apiKey, aws, outbox, owner }: DevConfig,
  signal: AbortSignal,
): Stage {
  const startedAt = new Date();
  return {
    ...createNarrator(signal),
    url,
    workspaceId,
    apiKey,
    outbox,
    owner: createClient(url, apiKey),
    ownerLogin: owner,
    aws,
    insider: createInsider(aws),
    namespace: `demo-${startedAt
      .toISOString()
      .replace(/[-:]|\.\d+Z/g, '')
      .replace('T', '-')}`,
    startedAt,
  };
}
