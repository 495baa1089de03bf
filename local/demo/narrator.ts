import { styleText } from 'node:util';

export interface Narrator {
  /** Begins the next scene, numbered from 1. */
  scene(title: string): void;
  say(...lines: readonly string[]): void;
}

/** @param signal ends the story before its next scene, by an error. */
export function createNarrator(signal: AbortSignal): Narrator {
  let scenes = 0;
  return {
    scene(title) {
      signal.throwIfAborted();
      scenes += 1;
      console.log(`\n${styleText('bold', `${String(scenes).padStart(2)}. ${title}`)}`);
    },
    say(...lines) {
      for (const line of lines) console.log(`    ${line}`);
    },
  };
}

/** Rows of text, each column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(width(column)))
      .join('  ')
      .trimEnd(),
  );
}

/** A value on one line of at most 48 characters. */
export function shortened(value: string): string {
  const line = value.replaceAll('\n', '⏎');
  return line.length <= 48 ? line : `${line.slice(0, 47)}…`;
}
