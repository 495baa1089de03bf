import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DevConfig } from '../../local/dev-config.ts';
import { type DevVault, startDevVault } from '../../local/dev-vault.ts';
import type { RunFunction } from '../../local/jobs.ts';
import { describeWithJava } from './java.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests say in their expectations what an answer holds.
  readonly json: any;
  readonly text: string;
}

export interface ApiRequest {
  /** Sent as JSON, with its content type. */
  readonly json?: unknown;
  /** Sent as it is, without any content type but the one in `headers`. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

type Send = (path: string, request?: ApiRequest) => Promise<ApiAnswer>;

export type Api = Readonly<Record<'get' | 'post' | 'put' | 'patch' | 'delete', Send>>;

/** A client of the HTTP API. Without a key it sends no `Authorization`; `json` is undefined for what is not JSON. */
export function api(url: string, key?: string): Api {
  const send =
    (method: string): Send =>
    async (path, { json, raw, headers } = {}) => {
      const body = json === undefined ? raw : JSON.stringify(json);
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
          ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      });
      const text = await response.text();
      const isJson = /^application\/(problem\+)?json\b/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        headers: response.headers,
        json: isJson ? JSON.parse(text) : undefined,
        text,
      };
    };
  return {
    get: send('GET'),
    post: send('POST'),
    put: send('PUT'),
    patch: send('PATCH'),
    delete: send('DELETE'),
  };
}

/** The vault of a test file; its members are there once the tests run. */
export interface TestVault {
  readonly url: string;
  /** What its `dev.json` says. */
  readonly config: DevConfig;
  readonly dataDir: string;
  /** The API with the owner's key. */
  readonly owner: Api;
  /** The API with another key, or none. */
  as(key?: string): Api;
  readonly runJob: RunFunction;
  /** Waits until streams and queues hold nothing that a function has not had. */
  pump(): Promise<void>;
}

/** A start takes seconds, and everything takes longer on a machine that is busy. */
const LIMIT_MS = 120_000;

/**
 * A `describe` over one vault in this process, on a free port and an empty directory, without rate limit and logs. One
 * call in a test file: the functions are configured once. Needs Java, see {@link describeWithJava}.
 */
export function withDevVault(name: string, define: (vault: TestVault) => void): void {
  jest.setTimeout(LIMIT_MS);
  describeWithJava(name, () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'lockzero-e2e-'));
    let running: DevVault | undefined;
    const vault = (): DevVault => {
      if (running === undefined) throw new Error('The vault is there once beforeAll has run.');
      return running;
    };
    beforeAll(async () => {
      running = await startDevVault({ port: 0, dataDir, rateLimit: false, quiet: true });
    });
    afterAll(async () => {
      await running?.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    define({
      get url() {
        return vault().url;
      },
      get config() {
        return vault().config;
      },
      dataDir,
      get owner() {
        return api(vault().url, vault().config.apiKey);
      },
      as: (key) => api(vault().url, key),
      runJob: (job, event) => vault().runJob(job, event),
      pump: () => vault().pump(),
    });
  });
}
