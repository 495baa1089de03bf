import { randomBytes } from 'node:crypto';
import { banner } from './banner.ts';
import { type DevVault, startDevVault } from './dev-vault.ts';
import { JavaMissingError } from './java.ts';
import { readSettings, StartError } from './settings.ts';

/** npm passes Ctrl-C on to a program that has had it from the terminal already; the second within this time is that. */
const ECHO_MS = 500;

try {
  const settings = readSettings(process.env);
  const vault = await startDevVault({ ...settings, quiet: false });
  stopOnSignal(vault);
  console.log(banner(vault, settings.dataDir, `greeting-${randomBytes(2).toString('hex')}`));
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
