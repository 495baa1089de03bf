import { bringKey } from '../../core/encryption-keys/bring-key.ts';
import { getEncryptionKey } from '../../core/encryption-keys/get-encryption-key.ts';
import { retirePreviousKeys } from '../../core/encryption-keys/retire-previous-keys.ts';
import { returnToVaultKey } from '../../core/encryption-keys/return-to-vault-key.ts';
import { createSecret } from '../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../core/secrets/delete-secret.ts';
import { importSecrets } from '../../core/secrets/import-secrets.ts';
import { purgeSecret } from '../../core/secrets/purge-secret.ts';
import { putValue } from '../../core/secrets/put-value.ts';
import { restoreSecret } from '../../core/secrets/restore-secret.ts';
import { revealSecret } from '../../core/secrets/reveal-secret.ts';
import { rollbackSecret } from '../../core/secrets/rollback-secret.ts';
import type { Secret } from '../../core/secrets/secret.ts';
import type { Asked, Request } from './evidence.ts';
import type { KeysWorld } from './world.ts';

const NAMESPACE = 'prod';
const MOST_ATTEMPTS = 3;

/** What people and programs ask of one workspace. */
export class Requests {
  readonly #world: KeysWorld;
  readonly #workspaceId: string;

  constructor(world: KeysWorld, workspaceId: string) {
    this.#world = world;
    this.#workspaceId = workspaceId;
  }

  create(): Promise<Request> {
    const [value] = this.#values(1);
    const name = `secret-${this.#world.nextNumber()}`;
    return this.#repeat({ kind: 'create', values: [value] }, (parts, context) =>
      createSecret(parts, context, { namespace: NAMESPACE, name, value }),
    );
  }

  /** Two new secrets, and a new value of one that may be there already. */
  import(known: Secret | undefined): Promise<Request> {
    const values = this.#values(3);
    const names = [known?.name ?? `secret-${this.#world.nextNumber()}`];
    while (names.length < values.length) names.push(`secret-${this.#world.nextNumber()}`);
    const content = JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index]])));
    return this.#repeat({ kind: 'import', values }, (parts, context) =>
      importSecrets(parts, context, { format: 'json', namespace: NAMESPACE, content, onConflict: 'upsert' }),
    );
  }

  put({ id }: Secret): Promise<Request> {
    const [value] = this.#values(1);
    return this.#once({ kind: 'put', secretId: id, values: [value] }, (parts, context) =>
      putValue(parts, context, id, value),
    );
  }

  rollback({ id }: Secret, version: number): Promise<Request> {
    return this.#repeat({ kind: 'rollback', secretId: id, version }, (parts, context) =>
      rollbackSecret(parts, context, { id, version }),
    );
  }

  /** A version of a secret; the current one, unless told. */
  reveal({ id }: Secret, version?: number): Promise<Request> {
    const asked = { kind: 'reveal', secretId: id, ...(version === undefined ? {} : { version }) } as const;
    return this.#once(asked, async (parts, context) => {
      const revealed = await revealSecret(parts, context, { id, version });
      return { version: revealed.version, value: revealed.value };
    });
  }

  delete({ id }: Secret): Promise<Request> {
    return this.#once({ kind: 'delete', secretId: id }, (parts, context) => deleteSecret(parts, context, id));
  }

  restore({ id }: Secret): Promise<Request> {
    return this.#once({ kind: 'restore', secretId: id }, (parts, context) =>
      restoreSecret(parts, context, id),
    );
  }

  purge({ id }: Secret): Promise<Request> {
    return this.#once({ kind: 'purge', secretId: id }, (parts, context) => purgeSecret(parts, context, id));
  }

  bringKey(keyArn: string): Promise<Request> {
    return this.#repeat({ kind: 'bring key' }, (parts, context) => bringKey(parts, context, { keyArn }));
  }

  leaveKey(): Promise<Request> {
    return this.#once({ kind: 'leave key' }, returnToVaultKey);
  }

  retireKeys(): Promise<Request> {
    return this.#once({ kind: 'retire keys' }, retirePreviousKeys);
  }

  readKey(): Promise<Request> {
    return this.#once({ kind: 'read key' }, getEncryptionKey);
  }

  #once(asked: Omit<Asked, 'workspaceId'>, work: Parameters<KeysWorld['request']>[1]): Promise<Request> {
    return this.#world.request({ ...asked, workspaceId: this.#workspaceId }, work);
  }

  /** Sends the same once more, with the same key, while nobody can tell whether it took effect. */
  async #repeat(
    asked: Omit<Asked, 'workspaceId' | 'idempotencyKey'>,
    work: Parameters<KeysWorld['request']>[1],
  ): Promise<Request> {
    const idempotencyKey = `key-${this.#world.nextNumber()}`;
    for (let attempt = 1; ; attempt += 1) {
      const request = await this.#once({ ...asked, idempotencyKey }, work);
      const { outcome } = request;
      const isOpen = outcome === 'died' || ('code' in outcome && outcome.code === 'unavailable');
      if (!isOpen || attempt === MOST_ATTEMPTS) return request;
    }
  }

  #values(count: number): [string, ...string[]] {
    const mark = (): string => `PLAINTEXT-${this.#world.nextNumber()}-TXETNIALP`;
    return [mark(), ...Array.from({ length: count - 1 }, mark)];
  }
}
