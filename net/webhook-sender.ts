import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { VaultError } from '../core/kernel/errors.ts';
import { parseReceiverUrl, type ReceiverRules } from '../core/siem/receiver-url.ts';
import type { OutgoingRequest, Sender, SendFailure, SendOutcome } from '../core/siem/sender.ts';
import { isPublicAddress } from './public-addresses.ts';
import { type ResolveName, resolveByDns, resolveBySystem } from './resolve-name.ts';
import { TimeLimits } from './time-limits.ts';

interface Options extends ReceiverRules {
  /** How names are resolved; by DNS, or on a laptop as the system does, unless said otherwise. */
  readonly resolve?: ResolveName;
  /** Which addresses may be connected to, where private ones are not allowed; those on the internet, unless said otherwise. */
  readonly isAllowed?: (address: string) => boolean;
  /** Certificate authorities in place of the public ones, PEM. */
  readonly ca?: string;
  /** Until the connection stands, TLS included. */
  readonly connectMs?: number;
  /** For all of it. */
  readonly totalMs?: number;
}

const CONNECT_MS = 5_000;
const TOTAL_MS = 10_000;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * The `Sender` port by HTTPS. A name is resolved once, every address of it is checked, and the connection goes to one of
 * those very addresses: a name that resolves otherwise a moment later changes nothing. Host and server name stay the
 * name's, so the certificate is checked for it. No redirect is followed and no proxy used.
 */
export function createWebhookSender(options: Options): Sender {
  const { allowPrivate, isAllowed = isPublicAddress, connectMs = CONNECT_MS, totalMs = TOTAL_MS } = options;
  const resolve = options.resolve ?? (allowPrivate ? resolveBySystem : resolveByDns);

  return {
    async post(outgoing) {
      const url = readUrl(outgoing.url, options);
      if (url === undefined) return failed('address_refused');
      const limits = new TimeLimits(connectMs, totalMs);
      try {
        const addresses = await addressesOf(url, resolve, limits.signal);
        if (addresses.length === 0) return failed('name_not_resolved');
        if (!allowPrivate && !addresses.every(isAllowed)) return failed('address_refused');
        return await exchange(start(url, outgoing, addresses, options.ca), limits);
      } catch (error) {
        if (limits.signal.aborted) return failed('timed_out');
        throw error;
      } finally {
        limits.end();
      }
    },
  };
}

/** Where it may go is checked here once more: what is stored may not be what was once asked for. */
function readUrl(text: string, rules: ReceiverRules): URL | undefined {
  try {
    return parseReceiverUrl(text, rules);
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

async function addressesOf(
  { hostname }: URL,
  resolve: ResolveName,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? resolve(bare, signal) : [bare];
}

function start(
  url: URL,
  { headers, body }: OutgoingRequest,
  addresses: readonly string[],
  ca: string | undefined,
): ClientRequest {
  const bytes = Buffer.from(body, 'utf8');
  const isSecure = url.protocol === 'https:';
  const options: RequestOptions = {
    method: 'POST',
    // An agent of its own: no connection is shared, and no proxy taken from the environment.
    agent: false,
    headers: {
      ...headers,
      'user-agent': 'lockzero',
      'accept-encoding': 'identity',
      'content-length': bytes.length,
    },
    lookup: lookupAmong(addresses),
    ...(isSecure ? { minVersion: 'TLSv1.2', rejectUnauthorized: true } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
  const request = isSecure ? httpsRequest(url, options) : httpRequest(url, options);
  return request.end(bytes);
}

/** Gives the addresses that were checked, whatever is asked for. */
function lookupAmong(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, { all }, callback) => {
    const [first] = found;
    if (all === true || first === undefined) callback(null, found);
    else callback(null, first.address, first.family);
  };
}

/** The answer to a request that has begun, or how far it came. */
async function exchange(request: ClientRequest, limits: TimeLimits): Promise<SendOutcome> {
  let reached: SendFailure = 'connection_failed';
  const isSecure = request.protocol === 'https:';
  const connected = (): void => {
    reached = 'no_answer';
    limits.connected();
  };
  request.once('socket', (socket) => {
    socket.once('connect', () => {
      if (isSecure) reached = 'tls_failed';
      else connected();
    });
    socket.once('secureConnect', connected);
  });
  limits.signal.addEventListener('abort', () => request.destroy(), { once: true });
  try {
    return await readAnswer(await answerTo(request));
  } catch {
    return failed(limits.signal.aborted ? 'timed_out' : reached);
  } finally {
    request.destroy();
  }
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // Stays for all that may still come: an error without a listener would end the process.
    request.on('error', reject);
    request.once('close', () => reject(new Error('The connection was closed without an answer.')));
  });
}

async function readAnswer(response: IncomingMessage): Promise<SendOutcome> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY_BYTES) break;
    }
  } catch {
    // The status counts, however the body ends; whoever needs the body finds that it is not whole.
  }
  const retryAfter = readRetryAfter(response.headers['retry-after']);
  return {
    status: 'answered',
    code: response.statusCode ?? 0,
    body: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8'),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** Only the form in seconds (RFC 9110 section 10.2.3): a date says little between two clocks. */
function readRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

function failed(reason: SendFailure): SendOutcome {
  return { status: 'failed', reason };
}
