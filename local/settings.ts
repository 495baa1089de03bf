import { parseArgs } from 'node:util';

/** The program cannot start; the message is one sentence that says why and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface Settings {
  /** 0 for any free one. */
  readonly port: number;
  readonly dataDir: string;
  /** Whether an address may send only so many requests a minute, as behind WAF. */
  readonly rateLimit: boolean;
}

/** Reads the `LOCKZERO_*` variables; an empty one counts as not set. Throws StartError for a value that is none. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    port: readPort(env['LOCKZERO_PORT'] || '4280'),
    dataDir: env['LOCKZERO_DATA_DIR'] || '.lockzero',
    rateLimit: readSwitch('LOCKZERO_RATE_LIMIT', env['LOCKZERO_RATE_LIMIT'] || 'on'),
  };
}

/** Reads the arguments of `npm run dev`. Throws StartError for one that it does not have. */
export function readArguments(args: readonly string[]): { readonly fastClock: boolean } {
  try {
    const { values } = parseArgs({ args: [...args], options: { 'fast-clock': { type: 'boolean' } } });
    return { fastClock: values['fast-clock'] === true };
  } catch {
    throw new StartError(
      `The only argument is --fast-clock, which lets a day pass in a minute; given was ${quoted(args.join(' '))}.`,
    );
  }
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new StartError(
    `LOCKZERO_PORT must be a port from 0 (any free one) to 65535, but it is ${quoted(text)}.`,
  );
}

function readSwitch(name: string, text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new StartError(`${name} must be "on" or "off", but it is ${quoted(text)}.`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
