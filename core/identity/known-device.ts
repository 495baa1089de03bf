import type { DerivedKeys } from '../crypto/derived-keys.ts';
import type { Random } from '../kernel/ports.ts';
import { isKeyedTag, keyedTag } from './keyed-tag.ts';

/**
 * Device cookies (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"): a browser in which somebody has
 * logged in before is counted by itself, so that whoever hammers the account from elsewhere locks out only others.
 */

/** The failures of an account from everywhere but its known devices. */
const ELSEWHERE = '-';

/** How long a browser stays known after its last login, in seconds: half a year. */
export const DEVICE_SECONDS = 180 * 24 * 60 * 60;

/** An account as it is counted: whether there is one or not. */
export interface CountedAccount {
  /** The id of its e-mail address. */
  readonly id: string;
  /** The person's, if there is one: a change of the password makes all devices strangers. */
  readonly epoch: number | undefined;
}

/**
 * `<device id>.<end in epoch seconds>.<key id>.<tag>`: good for one account, for half a year, until the person's epoch
 * moves on. A device that is known already keeps its id: logging in often makes nobody many devices.
 */
export async function newDeviceToken(
  { derivedKeys, random }: { readonly derivedKeys: DerivedKeys; readonly random: Random },
  account: CountedAccount,
  presented: string | undefined,
  now: number,
): Promise<string> {
  const known = await deviceOf(derivedKeys, account, presented, now);
  const deviceId = known ?? Buffer.from(random.bytes(16)).toString('hex');
  const end = Math.floor(now / 1000) + DEVICE_SECONDS;
  return `${deviceId}.${end}.${await keyedTag(derivedKeys, 'device', message(account, deviceId, end))}`;
}

/** Under which key the failures of an account are counted for a caller: its device, where that is known. */
export async function attemptKey(
  derivedKeys: DerivedKeys,
  account: CountedAccount,
  presented: string | undefined,
  now: number,
): Promise<string> {
  return `${account.id}#${(await deviceOf(derivedKeys, account, presented, now)) ?? ELSEWHERE}`;
}

async function deviceOf(
  keys: DerivedKeys,
  account: CountedAccount,
  token: string | undefined,
  now: number,
): Promise<string | undefined> {
  const [deviceId = '', end = '', ...tag] = (token ?? '').split('.');
  if (!/^[0-9a-f]{32}$/.test(deviceId) || !(Number(end) * 1000 > now)) return undefined;
  const isKnown = await isKeyedTag(keys, 'device', message(account, deviceId, Number(end)), tag.join('.'));
  return isKnown ? deviceId : undefined;
}

function message({ id, epoch }: CountedAccount, deviceId: string, end: number): string {
  return `${id}.${epoch ?? '-'}.${deviceId}.${end}`;
}
