import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevVault } from '../local/dev-vault.ts';
import { benchAnomaly } from './anomaly.ts';
import { benchAppend } from './append.ts';
import { benchColdImport } from './cold-import.ts';
import { benchLogin } from './login.ts';
import { benchProof } from './proof.ts';
import { benchReveal } from './reveal.ts';
import type { Line } from './support/measure.ts';
import { benchVerify } from './verify.ts';

/** `npm run bench`: every benchmark with its reference, in one run on this machine. Ratios carry over; times do not. */
const dataDir = mkdtempSync(join(tmpdir(), 'lockzero-bench-'));
const lines: Line[] = [];
lines.push(
  ...(await benchColdImport()),
  ...(await benchVerify()),
  ...benchAnomaly(),
  ...(await benchProof()),
  ...(await benchAppend()),
  ...(await benchLogin()),
);
const vault = await startDevVault({ port: 0, dataDir, rateLimit: false, quiet: true });
try {
  lines.push(...(await benchReveal(vault)));
} finally {
  await vault.stop();
  rmSync(dataDir, { recursive: true });
}
console.log('\nRatios are throughput against the reference, or time where it says so.\n');
for (const { what, ours, reference, ratio } of lines) {
  console.log(`${what}\n    ours ${ours}   reference ${reference}   ratio ${ratio}`);
}
