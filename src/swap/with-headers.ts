import type { Http, HttpRequest } from "./http.ts";

/** Asks as a browser that sends these as well. */
export function withHeaders(http: Http, headers: Readonly<Record<string, string>>): Http {
  const dressed = (request: HttpRequest): HttpRequest => ({ ...request, headers: { ...request.headers, ...headers } });
  return {
    ask: async (request) => await http.ask(dressed(request)),
    together: async (request, count) => await http.together(dressed(request), count),
    upgrade: async (request) => await http.upgrade(dressed(request)),
  };
}
