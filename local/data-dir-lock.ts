import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './settings.ts';

/**
 * Makes the data directory (mode 0700) and claims it for this process, by a file with the process's id. The file of a
 * process that is gone, after a crash, counts for nothing. Throws StartError while another process holds the directory.
 *
 * @returns what gives it back.
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, 'dev.pid');
  makeDirectory(dataDir);
  const holder = readHolder(file);
  if (holder !== undefined && isRunning(holder)) throw inUse(dataDir, holder);
  rmSync(file, { force: true });
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
  } catch {
    // Somebody took it over a moment earlier.
    throw inUse(dataDir, readHolder(file));
  }
  return () => rmSync(file, { force: true });
}

function inUse(dataDir: string, holder: number | undefined): StartError {
  return new StartError(
    `Another vault (process ${holder ?? 'unknown'}) runs on ${dataDir}: stop it, or choose another directory with LOCKZERO_DATA_DIR.`,
  );
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StartError(
      `The data directory ${path} cannot be made: choose another with LOCKZERO_DATA_DIR.`,
      { cause },
    );
  }
}

function readHolder(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10);
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  // An id that this process has itself is left over from a run before the machine, or the container, started anew.
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not ours to signal, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
