import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { bundling } from '../lib/constructs/bundling.ts';
import { compare, type Line, ratio } from './support/measure.ts';

const ROUNDS = 9;

/** A fresh process that imports the api function's bundle, against one that imports an empty bundle. */
export async function benchColdImport(): Promise<Line[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lockzero-bench-'));
  try {
    const api = join(folder, 'api.cjs');
    const empty = join(folder, 'empty.cjs');
    const { minify, keepNames, mainFields, target, commandHooks } = bundling({ argon2: true, files: [] });
    await build({
      entryPoints: [resolve('lambdas/api/handler.ts')],
      outfile: api,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
      ...(minify === undefined ? {} : { minify }),
      ...(keepNames === undefined ? {} : { keepNames }),
      ...(mainFields === undefined ? {} : { mainFields }),
      ...(target === undefined ? {} : { target }),
    });
    // argon2 looks for its native part beside the bundle.
    for (const command of commandHooks?.afterBundling(resolve('.'), folder) ?? [])
      execFileSync('sh', ['-c', command]);
    writeFileSync(empty, 'exports.handler = async () => {};\n');
    const { ours, reference } = await compare(
      ROUNDS,
      () => importOnce(api),
      () => importOnce(empty),
    );
    return [
      {
        what: `cold import of the api bundle (${Math.round(statSync(api).size / 1024)} KiB), beyond an empty one (time)`,
        ours: `${Math.round(ours)} ms, ${Math.round(ours - reference)} more`,
        reference: `${Math.round(reference)} ms`,
        ratio: ratio(ours / reference),
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  STAGE: 'bench',
  VAULT_TABLE: 'vault',
  AUDIT_TABLE: 'audit',
  SECRETS_KEY_ARNS: 'arn:aws:kms:us-east-1:000000000000:key/none',
  KEY_USER_ROLE_ARNS: 'arn:aws:iam::000000000000:role/none',
  SIGNING_KEY_ARNS: 'arn:aws:kms:us-east-1:000000000000:key/none',
  PUBLIC_URL: 'https://vault.example.com',
  ROOT_SECRET_ID: 'root',
  SETUP_TOKEN_SECRET_ID: 'setup-token',
  ARCHIVE_BUCKET: 'archive',
  CHECKPOINT_KEY_ARN: 'arn:aws:kms:us-east-1:000000000000:key/none',
  LOG_NAME: 'vault.example.com',
};

function importOnce(bundle: string): void {
  execFileSync(process.execPath, ['-e', `require(${JSON.stringify(bundle)})`], {
    env: { ...process.env, ...ENVIRONMENT },
  });
}
