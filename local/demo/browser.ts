import { StoryError } from './client.ts';

export interface BrowserAnswer<T> {
  readonly status: number;
  readonly json: T;
  /** Seconds after which to try again, where the answer says so. */
  readonly retryAfter: number | undefined;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
}

/** A browser as far as the vault can see: it keeps cookies, and sends its origin and the session's CSRF token. */
export interface Browser {
  /** Sends a request, whatever comes back. */
  send<T>(method: string, path: string, json?: unknown): Promise<BrowserAnswer<T & Problem>>;
  /** Sends a request. Throws StoryError for any other status than the one that the story goes on with. */
  expect<T>(status: number, method: string, path: string, json?: unknown): Promise<T & Problem>;
}

export function openBrowser(url: string): Browser {
  const cookies = new Map<string, string>();
  let csrfToken: string | undefined;

  const send = async <T>(method: string, path: string, json?: unknown) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        Origin: url,
        ...(cookies.size === 0
          ? {}
          : { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(csrfToken === undefined ? {} : { 'X-CSRF-Token': csrfToken }),
        ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const text = await answer.text();
    const body = (text.startsWith('{') ? JSON.parse(text) : {}) as T & Problem & { csrfToken?: string };
    csrfToken = body.csrfToken ?? csrfToken;
    const seconds = answer.headers.get('retry-after');
    return { status: answer.status, json: body, retryAfter: seconds === null ? undefined : Number(seconds) };
  };

  return {
    send,
    async expect<T>(status: number, method: string, path: string, json?: unknown) {
      const answer = await send<T>(method, path, json);
      if (answer.status === status) return answer.json;
      const said = answer.json.detail ?? 'it says no more.';
      throw new StoryError(`${method} ${path} answered ${answer.status}, not ${status}: ${said}`);
    },
  };
}
