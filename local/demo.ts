import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoryError } from './demo/client.ts';
import { tellStory } from './demo/story.ts';
import { answersTo } from './demo-owner.ts';
import { type DevConfig, readDevConfig } from './dev-config.ts';
import { startDevVault } from './dev-vault.ts';
import { JavaMissingError } from './java.ts';
import { readSettings, StartError } from './settings.ts';
import { enterShiftedTime, timeFile } from './shifted-time.ts';

/** The vault that runs on the data directory, or a fresh one that lives as long as the story. */
async function openVault(): Promise<{ config: DevConfig; isOwn: boolean; close: () => Promise<void> }> {
  const { dataDir } = readSettings(process.env);
  const running = readDevConfig(dataDir);
  if (running !== undefined && (await answersTo(running.url, running).catch(() => false))) {
    // An authenticator has to have the time of the vault, which an earlier run may have moved on.
    enterShiftedTime(timeFile(dataDir));
    console.log(`Lockzero, told by the vault at ${running.url} (data in ${dataDir})`);
    return { config: running, isOwn: false, close: async () => undefined };
  }
  console.log('Lockzero, told by a fresh vault that goes away afterwards');
  const temporary = mkdtempSync(join(tmpdir(), 'lockzero-demo-'));
  const remove = (): void => rmSync(temporary, { recursive: true, force: true });
  try {
    // The story moves time on by days. Whatever came due meanwhile would run in between.
    const vault = await startDevVault({
      port: 0,
      dataDir: temporary,
      rateLimit: false,
      quiet: true,
      scheduled: false,
    });
    return { config: vault.config, isOwn: true, close: () => vault.stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => ending.abort(new StoryError('The story was broken off.')));
}
try {
  const vault = await openVault();
  try {
    await tellStory(vault.config, ending.signal, vault.isOwn);
  } finally {
    await vault.close();
  }
} catch (error) {
  const isPlain = [StoryError, StartError, JavaMissingError].some((type) => error instanceof type);
  console.error(isPlain && error instanceof Error ? `\n${error.message}` : error);
  process.exitCode = 1;
}
