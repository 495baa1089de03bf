import type { ApiResponse } from '../http/route.ts';
import { type Html, html } from './html.ts';

export interface Page {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  /** Where its forms may lead besides the vault itself: browsers look at the redirect that answers a form, too. */
  readonly leadsTo?: string;
  readonly cookies?: readonly string[];
  /** Whole seconds. */
  readonly retryAfter?: number | undefined;
}

/** The one style of all pages. Browsers apply it because the policy has its hash; nothing else on a page is active. */
const STYLE = html`<style>
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { max-width: 28rem; margin: 10vh auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
button { margin: 1.25rem .5rem 0 0; padding: .5rem 1rem; font: inherit; cursor: pointer; }
dt { margin-top: .75rem; font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
small { display: block; margin-top: 2rem; }
[role=alert] { padding: .5rem .75rem; border-left: .25rem solid #c62828; }
[role=alert] p { margin: 0; }
</style>`;

/** SHA-256 of what stands between the tags of {@link STYLE}, base64 (CSP Level 3 section 2.3.1). */
const STYLE_HASH = 'sha256-OqRpbB89fVMPl46rV5TBWGcb94I0S5v+WcRqxYsD0Bo=';

/**
 * A page as the answer to a request: plain HTML without scripts, under a policy that allows its style and its forms.
 *
 * The referrer stays on this origin. With `no-referrer`, as on the API's answers, browsers would send `Origin: null` with
 * a form (Fetch standard, "append a request `Origin` header"), and the vault could not tell its own pages from others'.
 */
export function pageResponse({ status, title, body, leadsTo, cookies, retryAfter }: Page): ApiResponse {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Lockzero</title>
${STYLE}
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  const formAction = leadsTo === undefined ? "'self'" : `'self' ${leadsTo}`;
  return {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; style-src '${STYLE_HASH}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
      'Referrer-Policy': 'same-origin',
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer realm="lockzero"' } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    },
    text: document.markup,
    ...(cookies === undefined ? {} : { cookies }),
  };
}

/** Sends the browser on with a GET, whatever it came with (RFC 9110 section 15.4.4). */
export function seeOther(location: string, cookies?: readonly string[]): ApiResponse {
  return {
    status: 303,
    headers: { Location: location, 'Referrer-Policy': 'same-origin' },
    text: '',
    ...(cookies === undefined ? {} : { cookies }),
  };
}
