import type { EntityInspector } from '../../core/audit/entity-inspector.ts';
import type { Ledger } from '../../core/audit/ledger.ts';
import type { RootSecret } from '../../core/crypto/derived-keys.ts';
import type { KeyService } from '../../core/crypto/key-service.ts';
import type { MessageSigner } from '../../core/crypto/message-signer.ts';
import type { Bookkeeping } from '../../core/identity/bookkeeping.ts';
import type { BreachedPasswords } from '../../core/identity/breached-passwords.ts';
import type { MailSender } from '../../core/identity/mail.ts';
import type { Store } from '../../core/kernel/store.ts';
import type { DeliveryLog } from '../../core/siem/delivery-log.ts';
import type { MemoryTables } from '../support/memory-ledger.ts';
import { entityKey } from '../support/memory-store.ts';
import type { Evidence } from './evidence.ts';

/** Everything outside the program that it talks to. */
export interface Ports {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly keys: KeyService;
  readonly bookkeeping: Bookkeeping;
  readonly deliveries: DeliveryLog;
  readonly inspector: EntityInspector;
  readonly signer: MessageSigner;
  readonly breached: BreachedPasswords;
  readonly mail: MailSender;
  readonly secrets: { rootSecret(): Promise<RootSecret>; setupToken(): Promise<string> };
}

/** Carries out one call of a port with the fault drawn for it. `contended` is what a contended call answers. */
export type Perform = <T>(call: string, work: () => Promise<T>, contended?: T) => Promise<T>;

/** The ports, apart from the keys, with each call of each of them carried out by `perform`. */
export function withFaults(ports: Ports, perform: Perform): Omit<Ports, 'keys'> {
  const wrap = <P extends object>(name: string, port: P, methods: readonly (keyof P & string)[]): P => {
    const wrapped = methods.map((method) => {
      const work = port[method] as (...values: unknown[]) => Promise<unknown>;
      const call = `${name}.${method}`;
      return [method, (...values: unknown[]) => perform(call, () => work.apply(port, values))];
    });
    return Object.fromEntries(wrapped) as P;
  };
  const { ledger } = ports;
  return {
    ledger: {
      ...wrap('ledger', ledger, ['lastRow', 'row', 'rows', 'extraLanes']),
      append: (rows, changes) =>
        perform('ledger.append', () => ledger.append(rows, changes), { status: 'contended' }),
    },
    store: wrap('store', ports.store, ['get', 'getMany', 'find', 'list', 'getWithNewest', 'listChildren']),
    bookkeeping: wrap('bookkeeping', ports.bookkeeping, [
      'markKeyUsed',
      'lastUsed',
      'count',
      'tallies',
      'sweptUntil',
      'markSwept',
      'startSession',
      'touchSession',
      'sessionsSeen',
      'failures',
      'replaceFailures',
      'countRequest',
      'secretCount',
      'addSecrets',
      'setSecretCount',
      'rowsBefore',
      'noteRowsBefore',
    ]),
    deliveries: wrap('deliveries', ports.deliveries, ['read', 'replace', 'record', 'list', 'forget']),
    inspector: wrap('inspector', ports.inspector, ['inspect', 'scanPage']),
    signer: wrap('signer', ports.signer, ['sign', 'publicKeys']),
    breached: wrap('breached', ports.breached, ['range']),
    mail: wrap('mail', ports.mail, ['send']),
    secrets: wrap('secrets', ports.secrets, ['rootSecret', 'setupToken']),
  };
}

/** Notes what the tables carried out, and when. */
export function observedLedger(
  ledger: Ledger,
  tables: MemoryTables,
  evidence: Evidence,
  step: () => number,
): Ledger {
  return {
    ...ledger,
    async append(rows, changes) {
      const outcome = await ledger.append(rows, changes);
      if (outcome.status === 'committed') {
        const copies = rows.map((row) => ({ ...row, bytes: Uint8Array.from(row.bytes) }));
        const stored = changes.flatMap(({ change }) => tables.entities.get(entityKey(change.entity)) ?? []);
        evidence.commits.push({ step: step(), rows: copies, stored });
      }
      return outcome;
    },
  };
}
