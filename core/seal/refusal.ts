import type { Alert } from '../detection/alert.ts';

export type RefusalReason = 'log_shrunk' | 'log_forked' | 'archive_conflict';

/** Something that was signed does not fit what is stored: nothing may be signed on top of it until a person has looked. */
export class SealRefusal extends Error {
  override readonly name = 'SealRefusal';
  readonly reason: RefusalReason;
  /** What it is about, such as `row 0-17`. */
  readonly subject: string;
  readonly detail: Alert['detail'];

  constructor(reason: RefusalReason, subject: string, explanation: string, detail: Alert['detail'] = {}) {
    super(`${subject}: ${explanation}`);
    this.reason = reason;
    this.subject = subject;
    this.detail = { ...detail, explanation };
  }

  alert(workspaceId: string): Alert {
    const { reason: kind, subject, detail } = this;
    return { tier: 'critical', kind, workspaceId, subject, detail };
  }
}
