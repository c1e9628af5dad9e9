// Requests to the exchange: what went wrong comes back as a Problem whose words say what to do.
import { language, t } from "../words.ts";

/** RFC 9457, with who is to blame; `status` 0 means that no answer came. */
export class Problem extends Error {
  override name = "Problem";
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly field: string | null = null,
    readonly blame: string | null = null,
  ) {
    super(detail || title);
  }
  /** A sentence for people. */
  get words(): string {
    if (this.status === 0) return t("error.unreachable");
    if (this.status === 429) return this.detail || t("error.slow_down");
    return this.detail || this.title || t("error.unknown", { status: this.status });
  }
}

export interface Stored<T> {
  body: T;
  etag: string | null;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** The items of a page, or of a list that comes whole. */
export const items = <T>(page: Page<T> | T[]): T[] => (Array.isArray(page) ? page : page.items);

interface Options {
  body?: unknown;
  /** A file in the place of a body. */
  file?: Blob;
  etag?: string | null;
  /** Repeats of one wish carry the same key. */
  key?: string;
  keepalive?: boolean;
  signal?: AbortSignal;
}

export class Api {
  csrf = "";
  /** Told when the exchange says that nobody is signed in any more. */
  onSignedOut: () => void = () => {};
  /** Told when something was changed. */
  onChanged: () => void = () => {};

  /** `base` is "" for the exchange that gave the page; `token` is a program's, for pages of others. */
  constructor(
    readonly base = "",
    readonly token: string | null = null,
  ) {}

  url(path: string): string {
    return `${this.base}/api/v1/${path}`;
  }

  headers(): Record<string, string> {
    const headers: Record<string, string> = {
      Accept: "application/json, application/problem+json",
      // What is read here, which need not be what the browser prefers.
      "Accept-Language": language.peek(),
    };
    if (this.token !== null) headers["Authorization"] = `Bearer ${this.token}`;
    return headers;
  }

  async send<T>(method: string, path: string, options: Options = {}): Promise<Stored<T>> {
    const headers = this.headers();
    if (method !== "GET" && this.csrf !== "") headers["X-Ringdown-CSRF"] = this.csrf;
    if (method === "POST") headers["Idempotency-Key"] = options.key ?? crypto.randomUUID();
    if (options.etag !== null && options.etag !== undefined) headers["If-Match"] = options.etag;
    const init: RequestInit = {
      method,
      headers,
      credentials: this.token === null ? "same-origin" : "omit",
      cache: "no-store",
      keepalive: options.keepalive ?? false,
    };
    if (options.signal !== undefined) init.signal = options.signal;
    if (options.body instanceof Blob) {
      headers["Content-Type"] = "application/octet-stream";
      init.body = options.body;
    } else if (options.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(options.body);
    }
    if (options.file !== undefined) {
      headers["Content-Type"] = options.file.type || "application/octet-stream";
      init.body = options.file;
    }
    let response: Response;
    try {
      response = await fetch(this.url(path), init);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Problem(0, "", "");
    }
    if (!response.ok) throw await problem(response, () => this.onSignedOut());
    const text = await response.text();
    if (method !== "GET" && path !== "phone") this.onChanged();
    return { body: (text === "" ? undefined : JSON.parse(text)) as T, etag: response.headers.get("ETag") };
  }

  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await this.send<T>("GET", path, signal === undefined ? {} : { signal })).body;
  }

  async post<T>(path: string, body: unknown = {}, options: Options = {}): Promise<T> {
    return (await this.send<T>("POST", path, { ...options, body })).body;
  }

  /** Sends a file as it is. */
  async upload<T>(method: "PUT" | "POST", path: string, file: Blob): Promise<T> {
    return (await this.send<T>(method, path, { body: file })).body;
  }

  /** Edits what nobody else has changed meanwhile: fetches the ETag first when it is not known. */
  async edit<T>(method: "PATCH" | "PUT" | "DELETE", path: string, body?: unknown, options: Options = {}): Promise<T> {
    let etag = options.etag ?? null;
    if (etag === null) {
      try {
        etag = (await this.send<unknown>("GET", path)).etag;
      } catch (error) {
        // Something new has no ETag yet; some things are not read one by one.
        if (!(error instanceof Problem) || (error.status !== 404 && error.status !== 405)) throw error;
        if (method === "PATCH") throw error;
      }
    }
    const { etag: _, ...rest } = options;
    return (await this.send<T>(method, path, body === undefined ? { ...rest, etag } : { ...rest, etag, body })).body;
  }
}

async function problem(response: Response, signedOut: () => void): Promise<Problem> {
  let body: Record<string, unknown> = {};
  try {
    body = (await response.json()) as Record<string, unknown>;
  } catch {
    // Something between us and the exchange answered.
  }
  const text = (name: string): string => (typeof body[name] === "string" ? (body[name] as string) : "");
  const found = new Problem(response.status, text("title"), text("detail"), text("field") || null, text("blame") || null);
  if (response.status === 401) signedOut();
  return found;
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(-1, "", error instanceof Error ? error.message : String(error));
}
