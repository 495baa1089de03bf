const swc = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  module: { type: 'commonjs' },
};

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // One worker for each core: the default leaves one idle.
  maxWorkers: '100%',
  testMatch: ['**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/set-up-run.ts',
  globalTeardown: '<rootDir>/test/support/tear-down-run.ts',
  transform: { '^.+\\.(ts|m?js)$': ['@swc/jest', swc] },
  transformIgnorePatterns: ['/node_modules/(?!(@middy|jose|openid-client|oauth4webapi)/)'],
  moduleNameMapper: { '^@middy/([^/]+)$': '<rootDir>/node_modules/@middy/$1/index.js' },
};
