import type { SESv2Client } from '@aws-sdk/client-sesv2';
import type { MailSender } from '../core/identity/mail.ts';
import { unavailable, VaultError } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG } from './clients.ts';

/**
 * The `MailSender` port on Amazon SES. A retry after a lost answer may deliver a message twice.
 *
 * @param from a verified identity of SES; without it the vault sends no mail.
 */
export function createSesMail(from: string | undefined, client?: Pick<SESv2Client, 'send'>): MailSender {
  let sender = client;
  return {
    async send({ to, subject, text }) {
      if (from === undefined) {
        throw unavailable(
          'This vault sends no mail yet: its operator sets "mail" in lib/stages.ts and deploys.',
        );
      }
      // A line break would begin a header of the sender's choice. Whoever composed the message had to refuse it.
      if ([from, to, subject].some((field) => /\p{Cc}/u.test(field))) {
        throw new VaultError(
          'internal',
          'An address or the subject has a control character; nothing was sent.',
        );
      }
      try {
        // Loaded here, because few requests send mail, and loading a client takes a good part of a cold start.
        const ses = await import('@aws-sdk/client-sesv2');
        sender ??= new ses.SESv2Client(CLIENT_CONFIG);
        await sender.send(
          new ses.SendEmailCommand({
            FromEmailAddress: from,
            Destination: { ToAddresses: [to] },
            Content: { Simple: { Subject: utf8(subject), Body: { Text: utf8(text) } } },
          }),
        );
      } catch (cause) {
        throw unavailable('The mail service does not take the message right now. Try again.', cause);
      }
    },
  };
}

function utf8(text: string): { readonly Data: string; readonly Charset: string } {
  return { Data: text, Charset: 'UTF-8' };
}
