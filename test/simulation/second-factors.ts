import { Browser, browse, firstStep, type Person, steppedUp, viewOf } from './people.ts';
import type { Client } from './team.ts';
import { totpCode, totpStep } from './totp.ts';

/** Longer than the step in which a code of an app is shown. */
const NEXT_CODE_MS = 31_000;

/** Somebody with a second factor, if there is one. */
export function withTotp(client: Client): Person | undefined {
  return client.pick(client.team.people.filter(({ totpSecret }) => totpSecret !== undefined));
}

/** The tokens of so many logins whose second step is to come. */
export async function challenges(
  client: Client,
  person: Person,
  count: number,
): Promise<[Browser, string][]> {
  const made: [Browser, string][] = [];
  for (let left = count; left > 0; left -= 1) {
    const browser = new Browser(person);
    const { mfaToken } = viewOf(await firstStep(client, browser));
    if (mfaToken !== undefined) made.push([browser, mfaToken]);
  }
  return made;
}

/** Somebody with a second factor, who sets one up if nobody has; their app has shown the next code since. */
export async function withApp(client: Client): Promise<Person | undefined> {
  const known = withTotp(client);
  if (known !== undefined) return known;
  const person = await enroll(client);
  if (person !== undefined) await client.world.scheduler.turn(NEXT_CODE_MS);
  return person;
}

/** Sets up an app for somebody who has none. Gives who it was, if it worked. */
export async function enroll(client: Client, chosen?: Person): Promise<Person | undefined> {
  const without = client.team.people.filter(({ totpSecret }) => totpSecret === undefined);
  const person = chosen ?? client.pick(without);
  if (person === undefined) return undefined;
  const browser = await steppedUp(client, person);
  if (browser === undefined) return undefined;
  const { secret } = viewOf(await browse(client, browser, 'POST', '/auth/mfa/totp'));
  if (secret === undefined) return undefined;
  const body = { code: totpCode(secret, totpStep(client.world.scheduler.now)) };
  const answers = await Promise.all(
    (client.chance(30) ? [1, 2] : [1]).map(() =>
      browse(client, browser, 'POST', '/auth/mfa/totp/confirm', { body }),
    ),
  );
  const { backupCodes } = viewOf(answers.find((answer) => answer?.status === 200));
  // The codes may have been lost on the way; the app is set up all the same then.
  if (answers.some((answer) => answer === undefined || answer.status === 200 || answer.status === 503))
    person.totpSecret = secret;
  if (backupCodes === undefined) return undefined;
  person.backupCodes = [...backupCodes];
  person.spentCodes.push(body.code);
  return person;
}
