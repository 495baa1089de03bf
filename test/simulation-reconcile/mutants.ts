import type { AuditTrail } from '../../core/audit/trail.ts';
import { OpeningFailed } from '../../core/crypto/key-service.ts';
import type { KeyCall } from '../../core/reconciliation/key-calls.ts';
import { workspaceKind } from '../../core/workspaces/workspace.ts';
import { CallLog, VAULT_ROLES } from '../support/call-log.ts';
import { VAULT_KEY_ARN } from '../support/memory-keys.ts';
import { type Crime, INSIDER } from './history.ts';
import type { Mutant, Trouble } from './world.ts';

export interface NamedMutant extends Mutant {
  readonly name: string;
  /** Shows as an alert about honest work, or as a crime that nobody is told of. */
  readonly shows: 'false alarm' | 'missed';
  readonly trouble: Trouble;
  readonly crimes?: readonly Crime[];
}

const DAY = 24 * 60 * 60 * 1000;

/** A log whose files are read with other eyes. */
function altered(
  log: CallLog,
  alter: (calls: readonly KeyCall[], deliveredAt: number) => readonly KeyCall[],
): CallLog {
  const other = new CallLog({ now: () => Number.MAX_SAFE_INTEGER });
  for (const { calls, deliveredAt } of log.delivered) other.deliver(alter(calls, deliveredAt), deliveredAt);
  return other;
}

/** Moves as they would be if they left the context alone. */
function destinationsAltered(log: CallLog, patch: { readonly keyArn?: string }): CallLog {
  return altered(log, (calls) =>
    calls.map((call) =>
      call.destination === undefined
        ? call
        : { ...call, destination: { ...call.destination, ...patch, context: call.context } },
    ),
  );
}

function without(trail: AuditTrail, action: string): AuditTrail {
  return {
    commit: async (origin, events) => {
      const kept = events.filter((event) => event.action !== action);
      return kept.length === 0 ? [] : trail.commit(origin, kept);
    },
  };
}

let copies = 0;

/** Broken vaults and broken reconciliations, as seen at their ports. */
export const mutants: readonly NamedMutant[] = [
  {
    name: 'a vault that records no retries',
    shows: 'false alarm',
    trouble: 'gentle',
    trail: (trail) => without(trail, 'key.decrypt_retried'),
  },
  {
    name: 'a key service that hides its retries',
    shows: 'false alarm',
    trouble: 'gentle',
    keys: (keys) => ({
      ...keys,
      decrypt: async (...values) => {
        try {
          return { ...(await keys.decrypt(...values)), attempts: 1 };
        } catch (error) {
          throw error instanceof OpeningFailed ? new OpeningFailed(error, 1) : error;
        }
      },
    }),
  },
  {
    name: 'a vault that opens some values without a row',
    shows: 'false alarm',
    trouble: 'none',
    trail: (trail) => without(trail, 'secret.rollback_requested'),
  },
  {
    name: 'a reader that takes a record delivered twice for two calls',
    shows: 'false alarm',
    trouble: 'none',
    calls: (log) =>
      altered(log, (calls) =>
        calls.map((call) => {
          copies += 1;
          return { ...call, eventId: `${call.eventId.slice(0, 24)}${String(copies).padStart(12, '0')}` };
        }),
      ),
  },
  {
    name: 'a reader that takes the time of delivery for the time of the call',
    shows: 'false alarm',
    trouble: 'none',
    calls: (log) => altered(log, (calls, at) => calls.map((call) => ({ ...call, at }))),
  },
  {
    name: 'a reader that sees the first lane alone',
    shows: 'false alarm',
    trouble: 'gentle',
    ledger: (ledger) => ({ ...ledger, extraLanes: async () => [] }),
  },
  {
    name: 'a reader that leaves out the folder of the next day',
    shows: 'missed',
    trouble: 'none',
    crimes: ['another version'],
    calls: (log) => altered(log, (calls, at) => calls.filter((call) => dayOf(call.at) === dayOf(at))),
  },
  {
    name: 'a reader that takes whomever for the vault',
    shows: 'missed',
    trouble: 'none',
    crimes: ['another principal'],
    roles: { ...VAULT_ROLES, decrypting: new Set([...VAULT_ROLES.decrypting, INSIDER]) },
  },
  {
    name: 'a vault that tries keys without a row',
    shows: 'false alarm',
    trouble: 'none',
    trail: (trail) => without(trail, 'encryption_key.proof_started'),
  },
  {
    name: 'a rewrapper that moves values to a key of its own liking',
    shows: 'false alarm',
    trouble: 'none',
    keys: (keys) => ({
      ...keys,
      reEncrypt: (wrapped, { from, to }, context) =>
        keys.reEncrypt(wrapped, { from, to: `${to}-other` }, context),
    }),
  },
  {
    name: 'a reader that knows the deployment’s keys alone',
    shows: 'false alarm',
    trouble: 'none',
    ledger: (ledger) => ({
      ...ledger,
      rows: async (...values) =>
        (await ledger.rows(...values)).filter(({ bytes }) => !Buffer.from(bytes).includes('encryption_key.')),
    }),
  },
  {
    name: 'a reader that sees calls on the vault’s own keys alone',
    shows: 'missed',
    trouble: 'none',
    crimes: ['a key of a customer'],
    calls: (log, { onOwnKey }) =>
      altered(log, (calls) => calls.filter(({ eventId }) => onOwnKey.has(eventId))),
  },
  {
    name: 'a reader that takes whatever key for one of the vault’s',
    shows: 'missed',
    trouble: 'none',
    crimes: ['a move to a foreign key'],
    calls: (log) => destinationsAltered(log, { keyArn: VAULT_KEY_ARN }),
  },
  {
    name: 'a reader that lets values be moved to any key of the deployment',
    shows: 'missed',
    trouble: 'none',
    crimes: ['a move out of the reach of a customer'],
    store: (store) => ({
      ...store,
      get: async (kind, ...names) => {
        const found = await store.get(kind, ...names);
        if (found?.kind !== workspaceKind.name) return found;
        return { ...found, previousKeyArns: [VAULT_KEY_ARN] };
      },
    }),
  },
  {
    name: 'a reader that does not look at the context of the destination',
    shows: 'missed',
    trouble: 'none',
    crimes: ['a move into another context'],
    calls: (log) => destinationsAltered(log, {}),
  },
  {
    name: 'a reader that lets everybody move values',
    shows: 'missed',
    trouble: 'none',
    crimes: ['a move by another principal'],
    roles: { ...VAULT_ROLES, rewrapping: new Set([...VAULT_ROLES.rewrapping, INSIDER]) },
  },
  {
    name: 'a reader that does not look at what went before midnight',
    shows: 'missed',
    trouble: 'none',
    crimes: ['after midnight'],
    calls: (log) => {
      const files: CallLog['files'] = (span) =>
        altered(log, (calls) => calls.filter(({ at }) => at >= Math.ceil(span.from / DAY) * DAY)).files(span);
      return Object.assign(new CallLog({ now: () => 0 }), { files });
    },
  },
  {
    name: 'a reader that counts each row twice',
    shows: 'missed',
    trouble: 'none',
    crimes: ['the same second'],
    ledger: (ledger) => ({
      ...ledger,
      rows: async (...values) => (await ledger.rows(...values)).flatMap((row) => [row, row]),
    }),
  },
];

function dayOf(at: number): number {
  return Math.floor(at / DAY);
}
