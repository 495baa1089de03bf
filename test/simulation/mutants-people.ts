import { csrfToken } from '../../core/identity/csrf.ts';
import { userKind } from '../../core/identity/user.ts';
import {
  alterChanges,
  alterRead,
  claimsOf,
  generationShown,
  withBookkeeping,
  withoutChanges,
  withStore,
} from './altered.ts';
import { cookieOf } from './credentials.ts';
import type { NamedMutant } from './mutants.ts';
import { ORIGIN } from './people.ts';

const PLATFORM = '_platform';

/** Broken vaults as far as people are concerned. */
export const peopleMutants: readonly NamedMutant[] = [
  {
    name: 'a store that knows nothing of ended sessions',
    caughtBy: ['I7'],
    alterPorts: (ports) =>
      withStore(
        ports,
        alterRead('session', (session) => ({ ...session, endedAt: undefined })),
      ),
  },
  {
    name: 'a vault that does not look at the epoch of a person',
    caughtBy: ['I7'],
    alterPorts: (ports) =>
      withStore(
        ports,
        alterRead('session', async (session, { get }) => {
          const user = await get(userKind, PLATFORM, String(session['userId']));
          return { ...session, epoch: user?.epoch ?? session['epoch'] };
        }),
      ),
  },
  {
    name: 'a vault that does not look at the session group of a membership',
    caughtBy: ['I7'],
    firstSeed: 55,
    alterPorts: (ports) => {
      const groups = new Map<string, unknown>();
      return withStore(
        ports,
        alterRead('membership', (membership) => {
          const name = `${membership['workspaceId']} ${membership['id']}`;
          if (!groups.has(name)) groups.set(name, membership['sessionGroup']);
          return { ...membership, sessionGroup: groups.get(name) };
        }),
      );
    },
  },
  {
    name: 'a vault that goes by the role of the first request',
    caughtBy: ['I8', 'model'],
    firstSeed: 35,
    alterPorts: (ports) => {
      const roles = new Map<string, unknown>();
      return withStore(
        ports,
        alterRead('membership', (membership) => {
          const name = `${membership['workspaceId']} ${membership['id']}`;
          if (!roles.has(name)) roles.set(name, membership['role']);
          return { ...membership, role: roles.get(name) };
        }),
      );
    },
  },
  {
    name: 'a vault in which every refresh token is the current one',
    caughtBy: ['once', 'I7', 'reuse'],
    alterVault: (vault) => {
      let shown: unknown;
      const seen = alterRead('refreshToken', (token) => {
        shown = token['id'];
        return token;
      });
      const believed = alterRead('session', (session) => ({
        ...session,
        refreshTokenId: shown ?? session['refreshTokenId'],
      }));
      return { ...vault, store: believed(seen(vault.store)) };
    },
  },
  {
    name: 'a vault that forgives each reuse of a refresh token',
    caughtBy: ['reuse'],
    firstSeed: 30,
    alterVault: (vault) => {
      const recent = alterRead('refreshToken', (token) =>
        token['usedAt'] === undefined ? token : { ...token, usedAt: vault.clock.now() },
      );
      return { ...vault, store: recent(vault.store) };
    },
  },
  {
    name: 'a vault whose step-up leaves earlier tokens alive',
    caughtBy: ['I7'],
    firstSeed: 135,
    alterVault: (vault, instance, world) => {
      const forgiving = alterRead('session', (session) => {
        const generation = generationShown(world, instance);
        return generation === undefined ? session : { ...session, generation };
      });
      return { ...vault, store: forgiving(vault.store) };
    },
  },
  {
    name: 'a trail that does not keep which code of an app was the last',
    caughtBy: ['once'],
    alterTrail: alterChanges('user.totp_used', (mfa) => ({ ...mfa, lastStep: 0 })),
  },
  {
    name: 'a trail that does not keep which backup codes were used',
    caughtBy: ['once'],
    firstSeed: 25,
    alterTrail: alterChanges('user.backup_code_used', ({ backupCodes, ...mfa }) => ({
      ...mfa,
      backupCodes: (backupCodes as { readonly hash: string }[]).map(({ hash }) => ({ hash })),
    })),
  },
  {
    name: 'marks of use that never get old',
    caughtBy: ['I7'],
    firstSeed: 30,
    alterVault: (vault) => {
      const { bookkeeping, clock } = vault;
      const sessionsSeen = async (ids: readonly string[]) => new Map(ids.map((id) => [id, clock.now()]));
      return { ...vault, bookkeeping: { ...bookkeeping, sessionsSeen, touchSession: async () => true } };
    },
  },
  {
    name: 'marks of use that get lost',
    caughtBy: ['I7'],
    alterPorts: (ports, world) =>
      withBookkeeping(ports, {
        sessionsSeen: (ids) => ports.bookkeeping.sessionsSeen(world.random.below(20) === 0 ? [] : ids),
      }),
  },
  {
    name: 'a counter of failures that the last writer wins',
    caughtBy: ['lockout'],
    firstSeed: 25,
    alterPorts: (ports) =>
      withBookkeeping(ports, {
        async replaceFailures(key, _version, failures, expiresAt) {
          const { version } = await ports.bookkeeping.failures(key);
          return ports.bookkeeping.replaceFailures(key, version, failures, expiresAt);
        },
      }),
  },
  {
    name: 'a counter of failures that locks nobody out',
    caughtBy: ['lockout'],
    alterPorts: (ports) =>
      withBookkeeping(ports, {
        failures: async () => ({ version: 0, failures: [] }),
        replaceFailures: async () => undefined,
      }),
  },
  {
    name: 'a counter that locks accounts after three failures',
    caughtBy: ['lockout'],
    firstSeed: 30,
    alterPorts: (ports) =>
      withBookkeeping(ports, {
        async failures(key) {
          const { version, failures } = await ports.bookkeeping.failures(key);
          const [first = 0] = failures;
          return {
            version,
            failures: failures.length < 3 ? failures : Array.from({ length: 10 }, () => first),
          };
        },
      }),
  },
  {
    name: 'a vault whose reset links work again',
    caughtBy: ['once'],
    alterPorts: (ports) =>
      withStore(
        ports,
        alterRead('passwordReset', async (reset, { get }) => {
          const user = await get(userKind, PLATFORM, String(reset['userId']));
          return { ...reset, epoch: user?.epoch ?? reset['epoch'] };
        }),
      ),
    alterTrail: withoutChanges('passwordReset'),
  },
  {
    name: 'a vault whose logins can be completed twice',
    caughtBy: ['once'],
    firstSeed: 335,
    alterTrail: withoutChanges('mfaChallenge', 'authentication.succeeded'),
  },
  {
    name: 'a vault that serves what any page makes a browser send',
    caughtBy: ['I8'],
    firstSeed: 30,
    alterRequest: async (request, vault) => {
      const access = cookieOf({ headers: { cookie: request.header('cookie') ?? '' } }, 'access');
      const { sid = '' } = claimsOf(access);
      const token = await csrfToken(vault.derivedKeys, sid);
      const genuine: { readonly [name: string]: string } = { origin: ORIGIN, 'x-csrf-token': token };
      return { ...request, header: (name) => genuine[name.toLowerCase()] ?? request.header(name) };
    },
  },
  {
    name: 'a vault that lets people work without the second factor that is demanded',
    caughtBy: ['I8'],
    firstSeed: 30,
    alterPorts: (ports) =>
      withStore(
        ports,
        alterRead('session', (session) => ({ ...session, mfa: true })),
      ),
  },
  {
    name: 'a vault that never asks for a step-up',
    caughtBy: ['I8'],
    alterVault: (vault) => {
      const believing = alterRead('session', (session) => ({
        ...session,
        steppedUpAt: new Date(vault.clock.now()).toISOString(),
      }));
      return { ...vault, store: believing(vault.store) };
    },
  },
  {
    name: 'a mailer that sends a copy of what it knows to the log',
    caughtBy: ['I4'],
    alterPorts: (ports, world) => ({
      ...ports,
      mail: {
        send: async (mail) => {
          world.evidence.logs.push(mail.text);
          return ports.mail.send(mail);
        },
      },
    }),
  },
];
