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

/** `<device id>.<end in epoch seconds>.<key id>.<tag>`: good for one account, for half a year. */
export async function newDeviceToken(
  keys: DerivedKeys,
  random: Random,
  account: string,
  now: number,
): Promise<string> {
  const deviceId = Buffer.from(random.bytes(16)).toString('hex');
  const end = Math.floor(now / 1000) + DEVICE_SECONDS;
  return `${deviceId}.${end}.${await keyedTag(keys, 'device', `${account}.${deviceId}.${end}`)}`;
}

/**
 * Under which key the failures of an account are counted for a caller: its device, where that is known.
 *
 * @param account the id of the account's e-mail address, whether there is such an account or not.
 */
export async function attemptKey(
  keys: DerivedKeys,
  account: string,
  deviceToken: string | undefined,
  now: number,
): Promise<string> {
  const [deviceId = '', end = '', ...tag] = (deviceToken ?? '').split('.');
  const isKnown =
    /^[0-9a-f]{32}$/.test(deviceId) &&
    Number(end) * 1000 > now &&
    (await isKeyedTag(keys, 'device', `${account}.${deviceId}.${end}`, tag.join('.')));
  return `${account}#${isKnown ? deviceId : ELSEWHERE}`;
}
