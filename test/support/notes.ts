import { z } from 'zod';
import type { AuditEvent, Origin } from '../../core/audit/event.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { type Change, create, type Kind } from '../../core/kernel/entity.ts';

/** The plainest kind of entity, for tests of what all kinds share. */
const noteSchema = z.strictObject({
  kind: z.literal('note'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  text: z.string(),
});

export type Note = z.infer<typeof noteSchema>;

export const noteKind: Kind<Note> = {
  name: 'note',
  schema: noteSchema,
  listing: (note) => ({ list: `${note.workspaceId}#notes`, key: note.text }),
};

export const WORKSPACE = 'ws_1';

/** In lane 0. */
export const ORIGIN: Origin = systemOrigin(WORKSPACE);

export function createNote(id: string, text = ''): Change & { readonly entity: Note } {
  return create(noteKind, { workspaceId: WORKSPACE, id, text });
}

/** An event that names a note, and explains some changes. */
export function noted(id: string, ...changes: Change[]): AuditEvent {
  return { action: 'secret.updated', entity: { type: 'note', id }, result: 'success', changes };
}
