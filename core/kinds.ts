import { idempotencyKind } from './idempotency/once.ts';
import { apiKeyKind } from './identity/api-key.ts';
import { sweepMarkKind } from './identity/sweep-tallies.ts';
import { anyKind, type Entity, type Kind } from './kernel/entity.ts';
import { namespaceKind } from './namespaces/namespace.ts';
import { importJobKind } from './secrets/import-secrets.ts';
import { secretKind, secretNameKind, secretVersionKind } from './secrets/secret.ts';
import { installationKind, usedSetupTokenKind } from './workspaces/set-up.ts';
import { workspaceKind } from './workspaces/workspace.ts';

/** Every kind of entity that the vault stores, by name. */
export const allKinds: ReadonlyMap<string, Kind<Entity>> = new Map(
  [
    anyKind(workspaceKind),
    anyKind(installationKind),
    anyKind(usedSetupTokenKind),
    anyKind(apiKeyKind),
    anyKind(namespaceKind),
    anyKind(secretKind),
    anyKind(secretVersionKind),
    anyKind(secretNameKind),
    anyKind(idempotencyKind),
    anyKind(importJobKind),
    anyKind(sweepMarkKind),
  ].map((kind) => [kind.name, kind]),
);
