import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TEMPLATES_VARIABLE } from './templates-folder.ts';

/** Before the first test of a run; the workers inherit the environment. */
export default function setUpRun(): void {
  process.env[TEMPLATES_VARIABLE] = mkdtempSync(join(tmpdir(), 'lockzero-templates-'));
}
