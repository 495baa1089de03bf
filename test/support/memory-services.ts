import { createHash } from 'node:crypto';
import type { BreachedPasswords } from '../../core/identity/breached-passwords.ts';
import type { Mail, MailSender } from '../../core/identity/mail.ts';
import { createPasswordHasher } from '../../core/identity/passwords.ts';
import { unavailable } from '../../core/kernel/errors.ts';

/** Argon2id as weak as it gets: tests are about who is let in, not about how slow guessing is. */
export const QUICK_HASHER = createPasswordHasher({ memoryCost: 8, timeCost: 1, parallelism: 1 });

/** The `MailSender` port: keeps what was sent. */
export class MemoryMail implements MailSender {
  readonly sent: Mail[] = [];
  isDown = false;

  async send(mail: Mail): Promise<void> {
    if (this.isDown) throw unavailable('The mail service is down.');
    this.sent.push(mail);
  }

  /** The token in the link of the last mail to somebody. */
  tokenFor(to: string): string {
    const text = this.sent.findLast((mail) => mail.to === to)?.text ?? '';
    const token = /token=(lz[a-z]_[A-Za-z0-9_-]{43})/.exec(text)?.[1];
    if (token === undefined) throw new Error(`No mail to ${to} has a link with a token.`);
    return token;
  }
}

/** The `BreachedPasswords` port over a list of passwords; notes what it was asked. */
export class MemoryBreachedPasswords implements BreachedPasswords {
  readonly asked: string[] = [];
  readonly breached: string[] = [];
  isDown = false;

  async range(prefix: string): Promise<ReadonlyMap<string, number>> {
    this.asked.push(prefix);
    if (this.isDown) throw unavailable('The search is down.');
    const digests = this.breached.map((password) =>
      createHash('sha1').update(password).digest('hex').toUpperCase(),
    );
    return new Map(
      digests.filter((digest) => digest.startsWith(prefix)).map((digest) => [digest.slice(5), 7]),
    );
  }
}
