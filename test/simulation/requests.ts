import type { Sent } from './evidence.ts';
import type { SecretState } from './model.ts';

/** What a request wants to be stored under a name, in `POST /secrets` or an import. */
export function askedFor(sent: Sent | undefined, name: string) {
  const body = sent?.body ?? {};
  const plain = { tags: [], isCUI: false };
  if (sent?.path === '/secrets/import') {
    const value = importedValues(body)[name];
    return value === undefined ? undefined : { ...plain, value };
  }
  if (sent?.path !== '/secrets' || body['name'] !== name) return undefined;
  const { namespace: _namespace, name: _name, ...rest } = body;
  return { ...plain, ...rest } as typeof plain & { readonly value: string; readonly description?: string };
}

/** The values of a file to import, by name; as `operations-secrets.ts` writes such files. */
export function importedValues(body: NonNullable<Sent['body']>): { readonly [name: string]: string } {
  const content = String(body['content']);
  if (body['format'] === 'json') return JSON.parse(content);
  return Object.fromEntries(
    content.split('\n').map((line) => {
      const [name = '', quoted = ''] = line.split('=');
      return [name, quoted.slice(1, -1)];
    }),
  );
}

/** What a `PATCH` wants to be so. */
export function patchOf(sent: Sent | undefined): Partial<SecretState> {
  const { description, ...rest } = sent?.body ?? {};
  return {
    ...rest,
    ...(description === undefined ? {} : { description: (description ?? undefined) as string }),
  };
}
