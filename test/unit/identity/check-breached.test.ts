import type { BreachedPasswords } from '../../../core/identity/breached-passwords.ts';
import { isBreached } from '../../../core/identity/check-breached.ts';
import { unavailable } from '../../../core/kernel/errors.ts';

/** SHA-1 of `password`: 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8. */
const PREFIX = '5BAA6';
const SUFFIX = '1E4C9B93F3F0682250B6CF8331B7EE68FD8';

function service(entries: readonly (readonly [string, number])[]) {
  const asked: unknown[][] = [];
  const breached: BreachedPasswords = {
    async range(...question) {
      asked.push(question);
      return new Map(entries);
    },
  };
  return { breached, asked };
}

it('I1: only the first 5 hex digits of the SHA-1 leave', async () => {
  const { breached, asked } = service([]);
  await isBreached(breached, 'password');
  expect(asked).toEqual([[PREFIX]]);
});

it('finds a password by the rest of its SHA-1', async () => {
  expect(await isBreached(service([[SUFFIX, 1]]).breached, 'password')).toBe(true);
  expect(await isBreached(service([[SUFFIX, 1]]).breached, 'passwort')).toBe(false);
  expect(await isBreached(service([]).breached, 'password')).toBe(false);
});

it('does not take padding for a breach', async () => {
  expect(await isBreached(service([[SUFFIX, 0]]).breached, 'password')).toBe(false);
});

it('looks for the password in the form in which it is hashed', async () => {
  const { breached, asked } = service([]);
  await isBreached(breached, 'cafe\u0301');
  await isBreached(breached, 'caf\u00e9');
  expect(asked[0]).toEqual(asked[1]);
});

it('leaves it to the caller what to do when the service is down', async () => {
  const down: BreachedPasswords = {
    range: () => Promise.reject(unavailable('The service does not answer.')),
  };
  await expect(isBreached(down, 'password')).rejects.toMatchObject({ code: 'unavailable' });
});
