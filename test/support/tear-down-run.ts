import { rmSync } from 'node:fs';
import { TEMPLATES_VARIABLE } from './templates-folder.ts';

/** After the last test of a run. */
export default function tearDownRun(): void {
  const folder = process.env[TEMPLATES_VARIABLE];
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
