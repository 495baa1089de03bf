import { apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { rowsOf } from '../../support/memory-vault.ts';

it.each([
  ['POST', '/secrets', { namespace: 'prod', name: 'NEW', value: 'v' }],
  ['PUT', '/secrets/{id}/value', { value: 'v' }],
  ['POST', '/secrets/import', { namespace: 'prod', format: 'env', content: 'A=1' }],
])(
  '%s %s under a key that is gone is recorded with the key, which the answer does not tell',
  async (method, path, json) => {
    const { vault, workspaceId, ownerToken, secret } = await apiWorld();
    const id = await secret();
    const keyArn = vault.deploymentKeys.values;
    vault.keys.unusable.add(keyArn);
    const answer = await callApi(vault, { method, path: path.replace('{id}', id), json, token: ownerToken });
    expect([answer.status, problemCode(answer)]).toEqual([503, 'key_unavailable']);
    expect(JSON.stringify(answer)).not.toContain(keyArn);
    const failed = rowsOf(vault, workspaceId).findLast(({ result }) => result === 'failure');
    expect(failed?.detail).toMatchObject({ code: 'key_unavailable', keyArn, route: `${method} ${path}` });
  },
);
