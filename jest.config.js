import { availableParallelism } from 'node:os';

const swc = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  module: { type: 'commonjs' },
};

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // More workers than cores, since tests that run a vault wait for its database half of their time.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  // Against hanging only: how fast a machine is decides nothing.
  testTimeout: 60_000,
  testMatch: ['**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/set-up-run.ts',
  globalTeardown: '<rootDir>/test/support/tear-down-run.ts',
  transform: { '^.+\\.(ts|m?js)$': ['@swc/jest', swc] },
  transformIgnorePatterns: ['/node_modules/(?!(@middy|jose|openid-client|oauth4webapi)/)'],
  moduleNameMapper: { '^@middy/([^/]+)$': '<rootDir>/node_modules/@middy/$1/index.js' },
};
