import type { ObjectArchive, StagingArea } from '../../core/archive/object-archive.ts';
import type { EntityInspector } from '../../core/audit/entity-inspector.ts';
import type { Ledger } from '../../core/audit/ledger.ts';
import type { MessageSigner } from '../../core/crypto/message-signer.ts';
import type { Store } from '../../core/kernel/store.ts';
import type { RowRemover } from '../../core/retention/row-remover.ts';
import type { SealStates } from '../../core/seal/seal-state.ts';
import type { VerificationStates } from '../../core/verification/verification-state.ts';

/** Everything outside the program that the audit trail talks to. */
export interface LogPorts {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly inspector: EntityInspector;
  readonly archive: ObjectArchive;
  readonly staging: StagingArea;
  readonly seals: SealStates;
  readonly signer: MessageSigner;
  readonly verifications: VerificationStates;
  readonly remover: RowRemover;
}

/** Carries out one call of a port. */
export type Perform = <T>(call: string, work: () => Promise<T>) => Promise<T>;

/** The ports with each call of each of them carried out by `perform`; of what comes in pages, each page. */
export function withFaults(ports: LogPorts, perform: Perform): LogPorts {
  const wrapped = Object.entries(ports).map(([name, port]) => [name, wrap(name, port, perform)]);
  return Object.fromEntries(wrapped);
}

const PAGED: ReadonlySet<string> = new Set(['archive.list', 'verifications.workspaces']);

function wrap<P extends object>(name: string, port: P, perform: Perform): P {
  return new Proxy(port, {
    get: (target, member) => {
      const method: unknown = Reflect.get(target, member);
      if (typeof method !== 'function') return method;
      const call = `${name}.${String(member)}`;
      if (PAGED.has(call))
        return (...values: unknown[]) => pages(method.apply(target, values), call, perform);
      return (...values: unknown[]) => perform(call, () => method.apply(target, values));
    },
  });
}

async function* pages<T>(source: AsyncIterable<T>, call: string, perform: Perform): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    // Asked for twice, a page is the same.
    let page: Promise<IteratorResult<T>> | undefined;
    const { done, value } = await perform(call, () => {
      page ??= iterator.next();
      return page;
    });
    if (done) return;
    yield value;
  }
}
