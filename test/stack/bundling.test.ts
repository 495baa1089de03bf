import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { bundling } from '../../lib/constructs/bundling.ts';
import { emptyApp } from './synth.ts';

test('a bundle hashes with argon2 where there is no node_modules, and carries the part for arm64', () => {
  const app = emptyApp(['**']);
  try {
    new NodejsFunction(new Stack(app, 'Bundle'), 'Function', {
      entry: resolve('test/stack/fixtures/hashing-handler.ts'),
      projectRoot: resolve('.'),
      depsLockFilePath: resolve('package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      bundling: bundling(true),
    });
    app.synth();
    const [asset = ''] = readdirSync(app.outdir).filter((name) => name.startsWith('asset.'));
    const directory = join(app.outdir, asset);

    expect(readdirSync(directory).sort()).toEqual(['index.js', 'prebuilds']);
    expect(readdirSync(join(directory, 'prebuilds', 'linux-arm64'))).toEqual(['argon2.armv8.glibc.node']);
    expect(readdirSync(join(directory, 'prebuilds', 'linux-x64'))).toEqual(['argon2.glibc.node']);

    // The bundle carries no parts for macOS or Windows: it is Lambda's.
    if (process.platform !== 'linux') return;
    const script =
      "require('./index.js').handler().then((verified) => process.stdout.write(String(verified)))";
    expect(execFileSync(process.execPath, ['-e', script], { cwd: directory, encoding: 'utf8' })).toBe('true');
  } finally {
    rmSync(app.outdir, { recursive: true });
  }
});
