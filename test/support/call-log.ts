import type { EncryptionContext } from '../../core/crypto/key-service.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import type { VaultRoles } from '../../core/reconciliation/call-roles.ts';
import type { CallFile, CallSpan, KeyCall, KeyCalls } from '../../core/reconciliation/key-calls.ts';

export const API_ROLE = 'arn:aws:iam::000000000000:role/lockzero-api';
export const REWRAPPER_ROLE = 'arn:aws:iam::000000000000:role/lockzero-rewrapper';
export const VAULT_ROLES: VaultRoles = {
  decrypting: new Set([API_ROLE]),
  rewrapping: new Set([API_ROLE, REWRAPPER_ROLE]),
};
const DAY_MS = 24 * 60 * 60 * 1000;

interface Delivered extends CallFile {
  /** Epoch milliseconds. */
  readonly deliveredAt: number;
}

/** The log of a key service, as the `KeyCalls` port reads it: what was delivered until now. */
export class CallLog implements KeyCalls {
  /** Open to tests. */
  readonly delivered: Delivered[] = [];
  /** How often it was read. */
  reads = 0;
  readonly #clock: Pick<Clock, 'now'>;
  #records = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** A record of a call that is made now, by the vault unless said otherwise. */
  recordOf(context: EncryptionContext, other: Partial<KeyCall> = {}): KeyCall {
    this.#records += 1;
    return {
      eventId: `00000000-0000-4000-8000-${String(this.#records).padStart(12, '0')}`,
      at: Math.floor(this.#clock.now() / 1000) * 1000,
      operation: 'Decrypt',
      principal: API_ROLE,
      context,
      ...other,
    };
  }

  /** A record of a value that is moved now to another key, by the vault unless said otherwise. */
  moveOf(keyArn: string, context: EncryptionContext, other: Partial<KeyCall> = {}): KeyCall {
    return this.recordOf(context, {
      operation: 'ReEncrypt',
      principal: REWRAPPER_ROLE,
      destination: { keyArn, context },
      ...other,
    });
  }

  deliver(calls: readonly KeyCall[], deliveredAt = this.#clock.now(), isDamaged = false): void {
    this.delivered.push({ name: `file ${this.delivered.length}`, calls, deliveredAt, isDamaged });
  }

  async *files({ from, deliveredUntil }: CallSpan): AsyncGenerator<CallFile> {
    this.reads += 1;
    const end = Math.min(this.#clock.now(), (Math.floor(deliveredUntil / DAY_MS) + 1) * DAY_MS - 1);
    for (const { deliveredAt, ...file } of this.delivered)
      if (deliveredAt >= from && deliveredAt <= end) yield file;
  }
}
