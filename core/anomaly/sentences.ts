/** A span of time for a person to read: `less than a minute`, `39 minutes`, `3 hours`, `12 days`. */
export function spanOf(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return counted(minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? counted(hours, 'hour') : counted(Math.floor(hours / 24), 'day');
}

/** `1 minute`, `2 minutes`. */
export function counted(count: number, noun: string): string {
  return `${figure(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const ENGLISH = new Intl.NumberFormat('en');

/** A number with commas between the thousands. */
export function figure(count: number): string {
  return ENGLISH.format(count);
}

/** Keeps an event's id among the last few, oldest first. */
export function keepRow(rows: string[], id: string, capacity: number): void {
  rows.push(id);
  if (rows.length > capacity) rows.shift();
}
