import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { bundling } from '../../lib/constructs/bundling.ts';
import { emptyApp } from './synth.ts';

test('a bundle has what people need where there is no node_modules, and carries argon2’s part for arm64', () => {
  const app = emptyApp({ bundledStacks: ['**'] });
  try {
    new NodejsFunction(new Stack(app, 'Bundle'), 'Function', {
      entry: resolve('test/stack/fixtures/people-handler.ts'),
      projectRoot: resolve('.'),
      depsLockFilePath: resolve('package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      bundling: bundling({ argon2: true, files: [] }),
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
      "require('./index.js').handler().then((works) => process.stdout.write(JSON.stringify(works)))";
    const output = execFileSync(process.execPath, ['-e', script], { cwd: directory, encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual({ argon2: true, jose: true, otpauth: true, uqr: true, ses: true });
  } finally {
    rmSync(app.outdir, { recursive: true });
  }
});
