import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type DevConfig, readDevConfig } from '../../local/dev-config.ts';

type Variables = Readonly<Record<string, string>>;

/** A program of `local/` in a process of its own, with nothing but these variables and what a shell has. */
export function runLocal(program: 'dev' | 'demo', variables: Variables, args: readonly string[] = []) {
  return runProgram(`local/${program}.ts`, variables, args);
}

/** A program of the repository, likewise. */
export function runProgram(path: string, variables: Variables, args: readonly string[] = []) {
  return spawn(process.execPath, ['--import', 'tsx', resolve(path), ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs it to its end. */
export async function finishLocal(
  program: 'dev' | 'demo',
  variables: Variables,
  args: readonly string[] = [],
) {
  return finish(runLocal(program, variables, args));
}

/** Waits for the end of a program, and gives what it has said; its exit code is null if a signal ended it. */
export async function finish(child: ReturnType<typeof runProgram>) {
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), exit(child)]);
  return { stdout, stderr, exitCode: child.exitCode };
}

export interface DevProcess {
  readonly pid: number;
  /** What its `dev.json` says. */
  readonly config: DevConfig;
  /** What it has printed so far. */
  output(): string;
  /** Resolves once it has printed a line with this in it. */
  says(part: string): Promise<void>;
  /** Sends a signal, waits for the process to end, and gives its exit code: null if the signal ended it. */
  end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

/** Runs `npm run dev` without npm on any free port, and waits until its banner is complete. */
export async function startDevProcess(
  dataDir: string,
  variables: Variables = {},
  args: readonly string[] = [],
): Promise<DevProcess> {
  const child = runLocal('dev', { LOCKZERO_PORT: '0', LOCKZERO_DATA_DIR: dataDir, ...variables }, args);
  const errors = text(child.stderr);
  const lines: string[] = [];
  const output = createInterface(child.stdout);
  output.on('line', (line) => lines.push(line));
  const says = (part: string): Promise<void> =>
    new Promise((resolveSaid) => {
      const look = (line: string): void => {
        if (line.includes(part)) resolveSaid();
      };
      lines.forEach(look);
      output.on('line', look);
    });
  await Promise.race([says('Ctrl-C stops'), exit(child)]);
  const config = readDevConfig(dataDir);
  if (child.pid === undefined || child.exitCode !== null || config === undefined) {
    throw new Error(`The vault did not start. It said: ${await errors}`);
  }
  return {
    pid: child.pid,
    config,
    output: () => lines.join('\n'),
    says,
    async end(signal) {
      child.kill(signal);
      await exit(child);
      return child.exitCode;
    },
  };
}

async function exit(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
