import { type Facts, jsonOf, nameOf } from './facts.ts';

const MARKERS = ['PLAINTEXT-', '-TXETNIALP'] as const;
const TOKEN = /lz_[A-Za-z0-9_-]{43}/;

/** What would give a value away: its two ends, as they are and in base64 at each of the three alignments. */
const TRACES: readonly string[] = MARKERS.flatMap((marker) => [
  marker,
  ...[0, 1, 2].map((shift) => {
    const encoded = Buffer.from('x'.repeat(shift) + marker).toString('base64');
    // The outer characters depend on the neighbours.
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  }),
]);

/**
 * I4: no secret value, set-up token or API key in any row, entity or log, nor in any answer but the one that is meant
 * to tell it. All of them carry marks, so that any piece of them with an end is found.
 */
export function checkPlaintext({ evidence, report }: Facts): void {
  const stored = [
    ...evidence.rows.map(({ bytes }) => Buffer.from(bytes).toString('latin1')),
    ...evidence.commits.flatMap(({ stored: all }) => all.map(({ entity }) => fieldTexts(entity))),
  ].join('\n');
  if (isTelling(stored)) report('I4', 'there is plaintext in the tables');
  if (isTelling(evidence.logs.join('\n'))) report('I4', 'there is plaintext in the log');
  for (const exchange of evidence.exchanges) {
    const { answer } = exchange;
    if (answer === undefined) continue;
    const text = answer.status < 400 ? withoutWhatWasAskedFor(exchange.sent.path, answer) : answer.text;
    if (isTelling(text) || isTelling(JSON.stringify(answer.headers))) {
      report('I4', `${nameOf(exchange)} tells plaintext that nobody asked for`);
    }
  }
}

function isTelling(text: string): boolean {
  return TRACES.some((trace) => text.includes(trace)) || TOKEN.test(text);
}

function fieldTexts(entity: object): string {
  const texts = Object.values(entity).map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value),
  );
  return texts.join('\n');
}

function withoutWhatWasAskedFor(path: string, answer: Parameters<typeof jsonOf>[0]): string {
  const isReveal = /\/(reveal|value)$/.test(path);
  const isKey = path === '/setup' || /^\/api-keys(\/[^/]+\/rotate)?$/.test(path);
  if (!isReveal && !isKey) return answer.text;
  return JSON.stringify(jsonOf(answer), (name, value) =>
    (isReveal && name === 'value') || (isKey && name === 'key') ? undefined : value,
  );
}
