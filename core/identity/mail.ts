/** A message of plain text to one person. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** @throws VaultError `unavailable` when the service does not take the message. */
export interface MailSender {
  send(mail: Mail): Promise<void>;
}
