import { readEnv, required } from '../../../lambdas/shared/env.ts';

const before = { ...process.env };
const least = { STAGE: 'test', VAULT_TABLE: 'vault', AUDIT_TABLE: 'audit' };

beforeEach(() => {
  process.env = { ...least };
});
afterAll(() => {
  process.env = before;
});

test('needs the stage and its tables, and no more', () => {
  expect(readEnv()).toEqual({ ...least, DEFAULT_PLAN: 'standard' });
  process.env = {};
  expect(readEnv).toThrow('set the environment variables STAGE, VAULT_TABLE, AUDIT_TABLE.');
});

test('reads numbers and lists as what they are', () => {
  const witnesses = [{ url: 'https://w.example.com', verifierKey: 'w+01234567+AAAA' }];
  Object.assign(process.env, { ARCHIVE_RETENTION_DAYS: '2557', WITNESSES: JSON.stringify(witnesses) });
  expect(readEnv()).toMatchObject({ ARCHIVE_RETENTION_DAYS: 2557, WITNESSES: witnesses });
});

test.each([
  ['WITNESSES', '[{'],
  ['WITNESSES', '{}'],
  ['WITNESSES', '[{"url":"https://w.example.com"}]'],
  ['ARCHIVE_RETENTION_DAYS', '0'],
  ['ARCHIVE_RETENTION_DAYS', 'seven'],
  ['SEAL_QUEUE_URL', 'seal.fifo'],
  ['ALLOW_PRIVATE_WEBHOOKS', 'yes'],
  ['AWS_USE_FIPS_ENDPOINT', '1'],
])('names %s, which must not be %s', (name, value) => {
  Object.assign(process.env, { [name]: value });
  expect(readEnv).toThrow(`The function is not configured: set the environment variables ${name}`);
});

test('a function names what it cannot do without', () => {
  expect(() => required(readEnv(), 'LOG_NAME')).toThrow('set the environment variable LOG_NAME.');
  process.env['LOG_NAME'] = 'log.example.com';
  expect(required(readEnv(), 'LOG_NAME')).toBe('log.example.com');
});
