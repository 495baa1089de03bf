import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { KMSServiceException } from '@aws-sdk/client-kms';
import { runCustomerKey } from './customer-key-command.ts';
import { readDevConfig } from './dev-config.ts';
import { enterAwsEnvironment } from './environment.ts';
import { readSettings, StartError } from './settings.ts';

try {
  const { dataDir } = readSettings(process.env);
  const config = readDevConfig(dataDir);
  if (config === undefined) {
    throw new StartError(
      `No vault runs on ${dataDir}: start one with "npm run dev", and leave it running. One that runs on another folder is found with LOCKZERO_DATA_DIR.`,
    );
  }
  enterAwsEnvironment(config.aws);
  console.log(await runCustomerKey(process.argv.slice(2), config, read));
} catch (error) {
  console.error(sayable(error));
  process.exitCode = 1;
}

async function read(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new StartError(
      `${file} cannot be read: name the file with the statements, or - for standard input.`,
      {
        cause,
      },
    );
  });
}

/** A sentence, or an error nobody thought of as it is. */
function sayable(error: unknown): unknown {
  if (error instanceof StartError) return error.message;
  if (error instanceof KMSServiceException) return `The key service answered ${error.name}: ${error.message}`;
  if (isRefusedConnection(error) || (error instanceof Error && isRefusedConnection(error.cause))) {
    return 'The vault does not answer: start it with "npm run dev", and leave it running.';
  }
  return error;
}

function isRefusedConnection(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}
