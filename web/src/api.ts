// Talks to the engine. Every failure, of the network as of the engine, becomes one ApiError with
// the engine's own words, so that a place can say what went wrong and what to do.
//
// SPDX-License-Identifier: MIT
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
    readonly where?: string,
  ) {
    super(message);
  }
}

const OFFLINE = new ApiError(
  0,
  "UNREACHABLE",
  "The engine does not answer.",
  "Is it running? Start it with: dts serve",
);

async function failure(reply: Response): Promise<ApiError> {
  const fallback = `The engine answered ${reply.status} ${reply.statusText}`.trim();
  try {
    const { error } = await reply.json();
    return new ApiError(reply.status, error.code, error.message, error.hint, error.where);
  } catch {
    return new ApiError(reply.status, `HTTP_${reply.status}`, fallback);
  }
}

export async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const init: RequestInit = { method, credentials: "same-origin" };
  if (body !== undefined) {
    init.headers = { "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const reply = await fetch(path, init).catch(() => {
    throw OFFLINE;
  });
  if (!reply.ok) throw await failure(reply);
  return reply;
}

async function decode<T>(reply: Response): Promise<T> {
  if (reply.status === 204) return undefined as T;
  return (await reply.json().catch(() => {
    throw new ApiError(reply.status, "NOT_JSON", "The engine's answer is not JSON.");
  })) as T;
}

export async function get<T>(path: string): Promise<T> {
  return decode<T>(await send("GET", path));
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  return decode<T>(await send("POST", path, body));
}

export async function remove(path: string): Promise<void> {
  await send("DELETE", path);
}

export function asApiError(fault: unknown): ApiError {
  if (fault instanceof ApiError) return fault;
  return new ApiError(0, "PAGE_FAULT", fault instanceof Error ? fault.message : String(fault));
}

// The path of a call with its query; empty and absent values are left out, lists are repeated.
export function address(path: string, query: Record<string, unknown> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") search.append(name, String(one));
    }
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

// Puts a file to a presigned address and reports how far it is, which fetch cannot do.
export function upload(url: string, file: File, progress: (part: number) => void): Promise<void> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    request.onerror = () => fail(OFFLINE);
    request.onload = () => (request.status < 300 ? done() : fail(uploadFailure(request)));
    request.send(file);
  });
}

function uploadFailure(request: XMLHttpRequest): ApiError {
  try {
    const { error } = JSON.parse(request.responseText);
    return new ApiError(request.status, error.code, error.message, error.hint, error.where);
  } catch {
    return new ApiError(request.status, "UPLOAD", `The upload ended with ${request.status}.`);
  }
}
