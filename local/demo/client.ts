/** A scene did not show what it should; the message is a sentence that says what came instead. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
}

export interface Answer<T> {
  readonly json: T;
  readonly text: string;
  readonly headers: Headers;
}

interface RequestParts {
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Client {
  /** Sends a request. Throws StoryError for any other status than the one that the story goes on with. */
  expect<T>(status: number, method: string, path: string, parts?: RequestParts): Promise<Answer<T>>;
}

export function createClient(url: string, apiKey: string): Client {
  return {
    async expect<T>(status: number, method: string, path: string, { json, headers }: RequestParts = {}) {
      const answer = await fetch(url + path, {
        method,
        headers: {
          Authorization: `Bearer ${apiKey}`,
          ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
      const text = await answer.text();
      if (answer.status !== status) {
        throw new StoryError(
          `${method} ${path} answered ${answer.status}, not ${status}: ${problemIn(text)}`,
        );
      }
      const isJson = /^application\/(problem\+)?json\b/.test(answer.headers.get('content-type') ?? '');
      return { json: (isJson ? JSON.parse(text) : undefined) as T, text, headers: answer.headers };
    },
  };
}

/** Only what a problem document says of itself: an answer of another kind may hold a value. */
function problemIn(text: string): string {
  const detail = /"detail":"([^"]*)"/.exec(text)?.[1];
  return detail ?? 'it says no more.';
}
