import type { MailSender } from './mail.ts';

/** Tells a person that their second factor changed. A mail that does not arrive changes nothing. */
export async function notifyOfMfa(
  mail: MailSender,
  to: string,
  change: 'on' | 'off' | 'codes',
): Promise<void> {
  const what = {
    on: 'A second factor was set up for your Lockzero account just now.',
    off: 'The second factor of your Lockzero account was switched off just now.',
    codes: 'The backup codes of your Lockzero account were replaced just now.',
  }[change];
  await mail
    .send({
      to,
      subject: 'The second factor of your Lockzero account changed',
      text: `${what}\n\nIf that was not you, set a new password and ask an owner of your workspace for help at once.\n`,
    })
    .catch(() => undefined);
}
