import { createDecipheriv } from 'node:crypto';
import type { Mfa } from '../../core/identity/mfa.ts';
import type { Entity } from '../../core/kernel/entity.ts';
import type { SecretVersion } from '../../core/secrets/secret.ts';
import type { MemoryKeys } from '../support/memory-keys.ts';
import { SeededRandom } from '../support/random.ts';
import type { EvidentChange, Request, Row } from './evidence.ts';
import { factorOf } from './scene.ts';
import type { KeysWorld } from './world.ts';
import { keysOfTheChecker } from './world-keys.ts';

/** What is sealed: a version of a secret, or a second factor. */
export type Sealed = SecretVersion | Mfa;

export function isSealed(entity: Entity): entity is Sealed {
  return entity.kind === 'secretVersion' || entity.kind === 'mfa';
}

/** The values of a history, as they were written and opened again after each change. */
export class Replay {
  readonly violations: string[] = [];
  /** What was written, by the id of the version. */
  readonly written = new Map<string, string>();
  /** Each key that a version ever lay under, by its id. */
  readonly keys = new Map<string, Set<string>>();
  readonly #current = new Map<string, Sealed>();
  readonly #removed = new Set<string>();
  readonly #requests: ReadonlyMap<string, Request>;
  readonly #service: MemoryKeys;

  constructor(world: KeysWorld) {
    this.#requests = new Map(world.evidence.requests.map((request) => [request.userAgent, request]));
    this.#service = keysOfTheChecker(new SeededRandom(1));
  }

  /** What is wrong with the sealed values that a commit changes: each opens under the key that it names, as it was. */
  async follow(change: EvidentChange, row: Row | undefined): Promise<void> {
    const { op, entity } = change;
    if (op === 'check' || !isSealed(entity)) return;
    const { id } = entity;
    if (op === 'remove') {
      this.#current.delete(id);
      this.#removed.add(id);
      return;
    }
    if (this.#removed.has(id)) this.#report(`${id} is back from the dead`);
    const before = this.#current.get(id);
    this.#current.set(id, entity);
    this.keys.set(id, new Set(this.keys.get(id)).add(entity.keyArn));
    const text = await this.#open(entity);
    if (before === undefined) this.#checkWritten(entity, text, row);
    else this.#checkMoved(before, entity, text, row);
  }

  #checkWritten(entity: Sealed, text: string | undefined, row: Row | undefined): void {
    const { id } = entity;
    if (entity.kind === 'mfa') {
      if (text !== factorOf(id)) this.#report(`${id} is not the second factor that it was`);
      this.written.set(id, factorOf(id));
      return;
    }
    const request = this.#requests.get(row?.ua ?? '');
    const source = `${entity.secretId}.${request?.version}`;
    const meant = request?.kind === 'rollback' ? [this.written.get(source)] : (request?.values ?? []);
    if (text === undefined || !meant.includes(text)) this.#report(`${id} is not what was to be written`);
    if (request?.kind !== 'rollback' && [...this.written.values()].includes(text ?? ''))
      this.#report(`I6: ${id} was written twice`);
    this.written.set(id, text ?? '');
  }

  #checkMoved(before: Sealed, entity: Sealed, text: string | undefined, row: Row | undefined): void {
    const { id } = entity;
    if (text !== this.written.get(id)) this.#report(`${id} does not open as it was written`);
    const isMoved = row?.action === 'encryption_key.versions_rewrapped';
    const isNew = row?.action === 'user.mfa_enrollment_started';
    const altered = isMoved ? ['wrappedKey', 'keyArn', 'revision'] : ['lastStep', 'revision'];
    const isKept = JSON.stringify(without(before, altered)) === JSON.stringify(without(entity, altered));
    if (!isKept && !isNew) this.#report(`${row?.action} altered ${id}`);
    if (isMoved && before.keyArn === entity.keyArn) this.#report(`${id} was moved to where it was`);
    if (entity.revision !== before.revision + 1) this.#report(`${id} skipped a revision`);
  }

  async #open(sealed: Sealed): Promise<string | undefined> {
    const { workspaceId, version, wrappedKey, keyArn, nonce, tag, ciphertext } = sealed;
    const secretId = sealed.kind === 'mfa' ? sealed.id : (sealed as SecretVersion).secretId;
    const name = { secretId, version: String(version), workspaceId };
    try {
      const { plaintext } = await this.#service.decrypt(wrappedKey, keyArn, name);
      const cipher = createDecipheriv('aes-256-gcm', plaintext, nonce);
      cipher.setAAD(Buffer.from(JSON.stringify({ f: '1', ...name }))).setAuthTag(tag);
      return Buffer.concat([cipher.update(ciphertext), cipher.final()]).toString('utf8');
    } catch {
      this.#report(`${sealed.id} does not open under the key that it names`);
      return undefined;
    }
  }

  #report(violation: string): void {
    this.violations.push(violation);
  }
}

export async function replay(world: KeysWorld): Promise<Replay> {
  const replayed = new Replay(world);
  for (const { rows, changes } of world.evidence.commits)
    for (const change of changes) await replayed.follow(change, rowOf(rows, change));
  return replayed;
}

/** The row that explains a change. */
export function rowOf(rows: readonly Row[], { row }: EvidentChange): Row | undefined {
  return rows.find(({ lane, seq }) => lane === String(row.lane) && seq === String(row.seq));
}

function without(sealed: Sealed, members: readonly string[]): object {
  const rest = Object.entries(sealed)
    .filter(([name]) => !members.includes(name))
    .sort();
  return Object.fromEntries(
    rest.map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
}
