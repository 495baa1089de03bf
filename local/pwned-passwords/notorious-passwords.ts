/**
 * Passwords that everybody tries first, each with a made-up number of times it was seen: ten that a policy of 12
 * characters and four classes lets through, then two that a policy of 15 characters does.
 */
export const NOTORIOUS_PASSWORDS: readonly (readonly [password: string, count: number])[] = [
  ['Password123!', 120_000],
  ['Password1234!', 41_000],
  ['Passw0rd1234!', 9_800],
  ['P@ssw0rd1234', 38_000],
  ['P@ssw0rd12345', 7_200],
  ['P@ssword1234', 5_100],
  ['Welcome12345!', 4_400],
  ['Qwerty123456!', 6_300],
  ['Qwertyuiop1!', 2_700],
  ['Changeme123!', 1_900],
  ['correcthorsebatterystaple', 3_400],
  ['123456789012345', 88_000],
];
