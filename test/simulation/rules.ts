import type { Sent } from './evidence.ts';

/** What a person needs for a request, as the manual has it. */
export interface Rule {
  readonly least: 'viewer' | 'operator' | 'admin' | 'owner';
  /** Whether they must have proven once more who they are. */
  readonly stepUp: boolean;
  /** Whether it is open to those who owe the workspace a second factor. */
  readonly isPersonal: boolean;
}

type Line = readonly [method: RegExp, path: RegExp, least: Rule['least'], stepUp?: 'step-up'];

/** The first line that fits. Leaving is everybody's own affair. */
const LINES: readonly Line[] = [
  [/./, /^\/auth\/mfa\//, 'viewer', 'step-up'],
  [/./, /^\/auth\//, 'viewer'],
  [/GET/, /^\/workspace(\/members|\/invitations)?$/, 'viewer'],
  [/PATCH/, /^\/workspace$/, 'owner', 'step-up'],
  [/./, /^\/workspace\//, 'admin', 'step-up'],
  [/GET/, /^\/api-keys/, 'admin'],
  [/./, /^\/api-keys/, 'admin', 'step-up'],
  [/GET/, /^\/audit\/export/, 'admin', 'step-up'],
  [/./, /^\/audit/, 'admin'],
  [/GET/, /^\/secrets\/export/, 'viewer', 'step-up'],
  [/GET/, /\/value$/, 'operator', 'step-up'],
  [/GET/, /^\/(secrets|namespaces)/, 'viewer'],
  [/POST/, /\/reveal$/, 'operator', 'step-up'],
  [/DELETE/, /^\/namespaces/, 'admin'],
  [/./, /^\/(secrets|namespaces)/, 'operator'],
];

export function ruleOf({ method, path, query }: Sent, userId: string): Rule | undefined {
  if (method === 'DELETE' && path === `/workspace/members/${userId}`)
    return { least: 'viewer', stepUp: true, isPersonal: true };
  if (method === 'DELETE' && query?.['purge'] === 'true')
    return { least: 'owner', stepUp: true, isPersonal: false };
  const line = LINES.find(([methods, paths]) => methods.test(method) && paths.test(path));
  if (line === undefined) return undefined;
  const [, , least, stepUp] = line;
  return { least, stepUp: stepUp !== undefined, isPersonal: path.startsWith('/auth/') };
}
