/** Which fields an event tells of: short ones with what they were and are, long ones by name alone. */
export interface ToldFields<T> {
  readonly values: readonly (keyof T & string)[];
  readonly names: readonly (keyof T & string)[];
}

/**
 * What differs between two states of a thing, as an event's detail: `fields` names all that does, and each short one says
 * `before -> after`. What people wrote stays out of the trail. Empty when nothing differs.
 */
export function fieldChanges<T extends object>(
  before: T,
  after: T,
  { values, names }: ToldFields<T>,
): { readonly [name: string]: string } {
  const differs = (field: keyof T & string): boolean => text(before[field]) !== text(after[field]);
  const told = values.filter(differs);
  const fields = [...told, ...names.filter(differs)];
  if (fields.length === 0) return {};
  return {
    fields: fields.join(' '),
    ...Object.fromEntries(
      told.map((field) => [field, `${text(before[field]) || NOTHING} -> ${text(after[field]) || NOTHING}`]),
    ),
  };
}

const NOTHING = 'none';

function text(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : String(value ?? '');
}
