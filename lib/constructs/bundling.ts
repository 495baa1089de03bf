import { join } from 'node:path';
import { type BundlingOptions, LogLevel, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';

/** argon2's prebuilt native parts for the C library that Lambda has; the other platform serves tests on a build machine. */
const ARGON2_PLATFORMS = ['linux-arm64', 'linux-x64'];

interface Extras {
  readonly argon2: boolean;
  readonly files: readonly string[];
}

/**
 * How each function becomes one JavaScript file, by the local esbuild and without Docker.
 *
 * - The AWS SDK is bundled: what was tested runs, not what the runtime happens to carry.
 * - CommonJS, because argon2 finds its native part through `__dirname`.
 * - Minified for cold starts, with names kept: logs and tests tell errors by `name`. No source maps, which Node would
 *   parse on every cold start.
 *
 * @param argon2 Whether to lay argon2's native parts beside the bundle, where its loader looks for `prebuilds/`
 * @param files Files to lay beside the bundle, as paths from the root of the project
 */
export function bundling({ argon2, files }: Extras): BundlingOptions {
  return {
    format: OutputFormat.CJS,
    mainFields: ['module', 'main'],
    target: 'node24',
    minify: true,
    keepNames: true,
    bundleAwsSDK: true,
    logLevel: LogLevel.WARNING,
    commandHooks: {
      beforeBundling: () => [],
      beforeInstall: () => [],
      afterBundling: (inputDir, outputDir) => [
        ...(argon2 ? copyArgon2(inputDir, outputDir) : []),
        ...files.map((file) => `cp "${join(inputDir, file)}" "${outputDir}"`),
      ],
    },
  };
}

function copyArgon2(inputDir: string, outputDir: string): string[] {
  return ARGON2_PLATFORMS.flatMap((platform) => {
    const from = join(inputDir, 'node_modules', 'argon2', 'prebuilds', platform);
    const to = join(outputDir, 'prebuilds', platform);
    return [`mkdir -p "${to}"`, `cp "${from}"/*glibc.node "${to}"`];
  });
}
