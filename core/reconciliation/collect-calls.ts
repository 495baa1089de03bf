import { hash } from 'node:crypto';
import { mayMake, type VaultRoles } from './call-roles.ts';
import type { CallSpan, KeyCall, KeyCalls } from './key-calls.ts';
import { isSameValue, valueKey, valueOfContext } from './opened-value.ts';

/** A call that succeeded, on a value of the vault. */
export interface ValueCall extends Pick<KeyCall, 'at' | 'eventId'> {
  /** Whether anything can account for it: only for one by the vault itself that leaves the value what it is. */
  readonly isExplicable: boolean;
  /** Of a `ReEncrypt`: the key that the value lies under since. */
  readonly movedTo?: string;
}

export interface CollectedCalls {
  readonly files: number;
  /** Names of files that could not be read wholly. */
  readonly damaged: readonly string[];
  /** The calls on each value, by {@link valueKey}; each once, by rising time. */
  readonly values: ReadonlyMap<string, readonly ValueCall[]>;
  /** What others did with the key or tried to, and what the vault did with a context that is none of its own. */
  readonly strange: readonly KeyCall[];
  /** The hours (UTC, from 0 since the epoch) in which there were calls on values. */
  readonly hours: ReadonlySet<number>;
  /** Into how many shares the values have to be divided, so that each fits into memory. A power of two. */
  readonly shares: number;
}

export interface CollectParts {
  readonly keyCalls: KeyCalls;
  readonly roles: VaultRoles;
}

/** Calls held at once: some 250 bytes each. The keys that they moved values to are few, and held once. */
export const MAX_CALLS_HELD = 500_000;
/** Each share reads the whole log once more. */
const MAX_SHARES = 64;
/** There should be none. Kept apart by whether they succeeded, so that refusals cannot crowd out what was done. */
const MAX_STRANGE = 1_000;
const MAX_DAMAGED = 10;
const HOUR_MS = 60 * 60 * 1000;

/**
 * Reads the calls of a span. Where there are more than `limit`, only a share of the values is kept, and `shares` says how
 * many there are.
 *
 * @param share which of how many is wanted; the first one may turn out to be of more.
 */
export async function collectCalls(
  { keyCalls, roles }: CollectParts,
  span: CallSpan,
  share: { readonly index: number; readonly of: number },
  limit: number,
): Promise<CollectedCalls> {
  const values = new Map<string, ValueCall[]>();
  const strange = { used: new Map<string, KeyCall>(), refused: new Map<string, KeyCall>() };
  const hours = new Set<number>();
  const keyArns = new Map<string, string>();
  const damaged: string[] = [];
  let files = 0;
  let shares = share.of;
  let held = 0;
  for await (const file of keyCalls.files(span)) {
    files += 1;
    if (file.isDamaged && damaged.length < MAX_DAMAGED) damaged.push(file.name);
    for (const call of file.calls) {
      if (call.at < span.from || call.at >= span.to) continue;
      const { at, eventId, operation, errorCode, destination } = call;
      const isOwn = mayMake(roles, call);
      const value = valueOfContext(call.context);
      if (!isOwn || (value === undefined && errorCode === undefined)) {
        const calls = errorCode === undefined ? strange.used : strange.refused;
        if (calls.size < MAX_STRANGE) calls.set(eventId, call);
      }
      if (value === undefined || errorCode !== undefined) continue;
      hours.add(Math.floor(at / HOUR_MS));
      const key = valueKey(value);
      if (shareOf(key, shares) !== share.index) continue;
      const calls = values.get(key) ?? [];
      calls.push({
        at,
        eventId,
        isExplicable: isOwn && (operation === 'Decrypt' || isMoveOnly(call)),
        ...(destination === undefined ? {} : { movedTo: heldOnce(keyArns, destination.keyArn) }),
      });
      values.set(key, calls);
      held += 1;
      while (held > limit && share.index === 0 && shares < MAX_SHARES) {
        shares *= 2;
        held -= dropOthers(values, shares);
      }
    }
  }
  for (const [key, calls] of values) values.set(key, eachOnce(calls));
  const told = [...strange.used.values(), ...strange.refused.values()];
  return { files, damaged, values, strange: told, hours, shares };
}

/** Whether all that changed is the key: what lies under it is the same value still. */
function isMoveOnly({ context, destination }: KeyCall): boolean {
  return destination !== undefined && isSameValue(context, destination.context);
}

function heldOnce(known: Map<string, string>, text: string): string {
  const held = known.get(text) ?? text;
  known.set(text, held);
  return held;
}

/** Which of a number of shares a value belongs to: always the same one. */
function shareOf(key: string, shares: number): number {
  return shares === 1 ? 0 : hash('sha256', key, 'buffer').readUInt32BE() % shares;
}

/** @returns how many calls went. */
function dropOthers(values: Map<string, ValueCall[]>, shares: number): number {
  let dropped = 0;
  for (const [key, calls] of values) {
    if (shareOf(key, shares) === 0) continue;
    dropped += calls.length;
    values.delete(key);
  }
  return dropped;
}

function eachOnce(calls: readonly ValueCall[]): ValueCall[] {
  const once = new Map(calls.map((call) => [call.eventId, call]));
  return [...once.values()].sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
}
