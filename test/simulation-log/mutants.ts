import { decodeManifest, encodeManifest } from '../../core/archive/manifest.ts';
import { CHECKPOINT_PATH, logPrefix, sealPath } from '../../core/seal/log-origin.ts';
import { parseCheckpoint } from '../../core/transparency/checkpoint.ts';
import { noteOf, signatureLine, verifierKey } from '../../core/transparency/signed-note.ts';
import { rowKey } from '../support/memory-ledger.ts';
import type { LogPorts } from './ports.ts';
import type { LogWorld, Mutant, Role } from './world.ts';

export interface NamedMutant extends Mutant {
  readonly name: string;
  /** Of the violations, at least one must say this. */
  readonly caughtBy: RegExp;
  /** For one that shows in few histories: where to begin, so that the test does not play many in vain. */
  readonly firstSeed?: number;
}

type Alter = (ports: LogPorts, world: LogWorld) => Partial<LogPorts>;

/** Broken audit trails: what the sealer, the archiver or a store gets wrong, as seen at its ports. */
export const mutants: readonly NamedMutant[] = [
  {
    name: 'a sealer that publishes what it signs before the state is stored',
    caughtBy: /root of|growth of|versions of|log_shrunk|log_forked/,
    ...ofRole('sealer', ({ signer }, world) => ({
      signer: {
        publicKeys: () => signer.publicKeys(),
        sign: async (message) => {
          const signed = await signer.sign(message);
          await publishAtOnce(world, Buffer.from(message).toString('utf8'), signed.signature);
          return signed;
        },
      },
    })),
  },
  {
    name: 'a state that is stored over another, whatever its version',
    caughtBy: /was stored twice|was signed and stored|log_forked|archive_conflict/,
    ...ofRole('sealer', ({ seals }, { seals: table, evidence }) => ({
      seals: {
        ...bound(seals),
        replace: async (next, segments) => {
          const version = table.states.get(next.workspaceId)?.version ?? 0;
          const isOld = version !== next.version - 1;
          if (!isOld) return seals.replace(next, segments);
          const outcome = await seals.replace({ ...next, version: version + 1 }, segments);
          if (outcome === 'replaced') evidence.states[evidence.states.length - 1] = next;
          return outcome;
        },
      },
    })),
  },
  {
    name: 'a sealer that remembers the state instead of reading it',
    caughtBy: /seal is waiting|are sealed|log_shrunk/,
    ...ofRole('sealer', ({ seals }) => {
      const known = new Map<string, ReturnType<typeof seals.read>>();
      const read: typeof seals.read = (workspaceId) => {
        const state = known.get(workspaceId) ?? seals.read(workspaceId);
        known.set(workspaceId, state);
        return state;
      };
      return { seals: { ...bound(seals), read } };
    }),
  },
  {
    name: 'a sealer that stages nothing and does not find the rows again either',
    caughtBy: /archive_conflict/,
    ...ofRole('sealer', ({ staging, seals }) => ({
      staging: { ...bound(staging), put: async () => undefined },
      seals: { ...bound(seals), segmentOf: async () => undefined },
    })),
  },
  {
    name: 'a sealer that notes no places of rows',
    caughtBy: /archive is waiting|job_failed|root_mismatch/,
    ...ofRole('sealer', ({ seals }) => ({
      seals: { ...bound(seals), replace: (next) => seals.replace(next, []) },
    })),
  },
  {
    name: 'a sealer that takes two rows in the wrong order',
    caughtBy: /audit_break|Leaf \d+ is/,
    ...ofRole('sealer', ({ ledger }) => ({
      ledger: {
        ...bound(ledger),
        rows: async (lane, from, limit, order) => {
          const [first, second, ...rest] = await ledger.rows(lane, from, limit, order);
          return [second, first, ...rest].filter((row) => row !== undefined);
        },
      },
    })),
  },
  {
    name: 'a sealer that does not see what strangers cause',
    caughtBy: /are sealed|unsealed|waiting/,
    ...ofRole('sealer', ({ ledger }) => ({
      ledger: {
        ...bound(ledger),
        lastRow: async (lane) => (lane.lane === 1 ? undefined : ledger.lastRow(lane)),
      },
    })),
  },
  {
    name: 'an archive that loses tiles',
    caughtBy: /nothing at|archive_conflict|archive_missing|missing/,
    ...ofRole('sealer', ({ archive }) => ({
      archive: {
        ...bound(archive),
        create: async (key, bytes) =>
          key.includes('/tile/0/') ? { status: 'created', versionId: 'v0' } : archive.create(key, bytes),
      },
    })),
  },
  {
    name: 'an archiver that counts parts without having read them back',
    caughtBy: /ndjson|archive_mismatch|incorrect|altered/,
    ...ofRole('archiver', ({ archive }) => {
      const sent = new Map<string, Uint8Array>();
      return {
        archive: {
          ...bound(archive),
          create: (key, bytes) => {
            if (!key.endsWith('.gz')) return archive.create(key, bytes);
            sent.set(key, bytes);
            return archive.create(
              key,
              bytes.map((byte, at) => (at === bytes.length - 9 ? byte ^ 1 : byte)),
            );
          },
          read: async (key, versionId) => {
            const found = await archive.read(key, versionId);
            return found && { ...found, bytes: sent.get(key) ?? found.bytes };
          },
        },
      };
    }),
  },
  {
    name: 'a manifest that tells when it was written',
    caughtBy: /archive_conflict|taken|has no version|lanes of|manifest/,
    ...ofRole('archiver', ({ archive, signer }, { scheduler }) => {
      const written = new Map<string, Uint8Array>();
      return {
        archive: {
          ...bound(archive),
          create: (key, bytes) => {
            const manifest = key.endsWith('manifest.json') ? decodeManifest(bytes) : undefined;
            if (manifest === undefined) return archive.create(key, bytes);
            const lastTs = new Date(scheduler.now).toISOString();
            const lanes = manifest.lanes.map((lane) => ({ ...lane, lastTs }));
            written.set(key, bytes);
            return archive.create(key, encodeManifest({ ...manifest, lanes }));
          },
          read: async (key, versionId) => {
            const found = await archive.read(key, versionId);
            return found && { ...found, bytes: written.get(key) ?? found.bytes };
          },
        },
        signer,
      };
    }),
  },
  {
    name: 'an archive that forgets its lock and writes over what is there',
    firstSeed: 40,
    caughtBy: /has \d+ versions|versions of/,
    ...ofRole('archiver', ({ archive }, world) => ({
      archive: {
        ...bound(archive),
        create: async (key, bytes) => {
          const etag = world.archive.current(key)?.etag;
          if (etag === undefined) return archive.create(key, bytes);
          await archive.replace(key, bytes, etag);
          return { status: 'created', versionId: world.archive.current(key)?.versionId ?? '' };
        },
      },
    })),
  },
  {
    name: 'a retention that removes one row too many',
    caughtBy: /removed|missing_row|log_shrunk|is lost/,
    ...ofRole('retention', ({ remover }) => ({
      remover: { remove: (lane, seqs) => remover.remove(lane, [...seqs, (seqs.at(-1) ?? 0) + 1]) },
    })),
  },
  {
    name: 'a ledger that acknowledges what it does not write',
    caughtBy: /was recorded, and is nowhere/,
    ...ofRole('writer', ({ ledger }, { random }) => ({
      ledger: {
        ...bound(ledger),
        append: async (rows, changes) =>
          random.below(20) === 0 ? { status: 'committed' } : ledger.append(rows, changes),
      },
    })),
  },
  {
    name: 'a ledger that writes over rows',
    caughtBy: /is nowhere|is lost or altered|was recorded, and is/,
    ...ofRole('writer', ({ ledger }, { tables }) => ({
      ledger: {
        ...bound(ledger),
        append: async (rows, changes) => {
          for (const row of rows) tables.rows.delete(rowKey(row, row.seq));
          return ledger.append(rows, changes);
        },
      },
    })),
  },
];

/** Alters the ports of each process of a role, whichever number it has. */
function ofRole(name: string, alter: Alter): Mutant {
  return {
    alterPorts: (ports, role: Role, world) =>
      role.startsWith(name) ? { ...ports, ...alter(ports, world) } : ports,
  };
}

/** The methods of a port, to be taken over one by one. */
function bound<P extends object>(port: P): P {
  return new Proxy<P>(port, {
    ownKeys: (target) => [...new Set([...Reflect.ownKeys(target), ...methodsOf(target)])],
    getOwnPropertyDescriptor: (target, name) => ({
      configurable: true,
      enumerable: true,
      value: memberOf(target, name),
    }),
    get: memberOf,
  });
}

function methodsOf(port: object): string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(port)).filter((name) => name !== 'constructor');
}

function memberOf(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? value.bind(target) : value;
}

async function publishAtOnce(world: LogWorld, text: string, signature: Uint8Array): Promise<void> {
  const { origin, size } = parseCheckpoint(text);
  const [key] = await world.signer.publicKeys();
  if (key === undefined) return;
  const note = Buffer.from(noteOf(text, [signatureLine(verifierKey(origin, key.publicKey), signature)]));
  const prefix = logPrefix(origin.slice(origin.indexOf('/') + 1));
  world.archive.put(`${prefix}${CHECKPOINT_PATH}`, note);
  world.archive.put(`${prefix}${sealPath(size)}`, note);
}
