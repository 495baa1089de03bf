import { lookup, Resolver } from 'node:dns/promises';

/** All addresses of a name, IPv4 first; none when it has none. Throws once the signal says so. */
export type ResolveName = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

const QUERY_TIMEOUT_MS = 2_000;
const TRIES = 2;

/**
 * Asks the name servers. Not `dns.lookup`: that takes one of a few threads for as long as a slow name server likes, and
 * every other lookup would wait for it.
 */
export const resolveByDns: ResolveName = async (name, signal) => {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    signal.throwIfAborted();
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** As every other program on this machine resolves names, its own file of hosts included: for the laptop. */
export const resolveBySystem: ResolveName = async (name, signal) => {
  const addresses = await lookup(name, { all: true, order: 'ipv4first' }).catch(() => []);
  signal.throwIfAborted();
  return addresses.map(({ address }) => address);
};
