import { randomBytes } from 'node:crypto';
import { banner } from './banner.ts';
import { type DevVault, startDevVault } from './dev-vault.ts';
import { JavaMissingError } from './java.ts';
import { readArguments, readSettings, StartError } from './settings.ts';

/** npm passes Ctrl-C on to a program that has had it from the terminal already; the second within this time is that. */
const ECHO_MS = 500;

try {
  const settings = readSettings(process.env);
  const { fastClock } = readArguments(process.argv.slice(2));
  const vault = await startDevVault({ ...settings, fastClock, quiet: false });
  stopOnSignal(vault);
  const secretName = `greeting-${randomBytes(2).toString('hex')}`;
  console.log(banner(vault, { dataDir: settings.dataDir, fastClock, secretName }));
} catch (error) {
  console.error(error instanceof StartError || error instanceof JavaMissingError ? error.message : error);
  process.exitCode = 1;
}

/** The first SIGINT or SIGTERM ends everything in order; another one ends this process at once, and java follows. */
function stopOnSignal(vault: DevVault): void {
  let stoppingSince: number | undefined;
  const onSignal = async (): Promise<void> => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > ECHO_MS) process.exit(130);
      return;
    }
    stoppingSince = performance.now();
    await vault.stop();
    process.exit(0);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
