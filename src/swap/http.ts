/** One HTTP request to an address, which may differ from the name that it asks for. */
export interface HttpRequest {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMilliseconds: number;
  /** Speaks TLS with this name as SNI. The certificate is reported, not judged: that is a question of its own. */
  readonly serverName?: string;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly milliseconds: number;
  readonly certificate?: ShownCertificate;
}

export interface ShownCertificate {
  /** As in the certificate: `DNS:erp.example.com, IP Address:10.0.0.1`. */
  readonly names: string;
  readonly validFrom: string;
  readonly validTo: string;
}

/** Sends without following redirects and without reusing a connection. Throws when there is no answer. */
export interface Http {
  ask(request: HttpRequest): Promise<Answer>;
  /**
   * The same request `count` times at once, sent only when every connection stands. A prefork worker that has taken a connection waits
   * for its request and takes no other, so `count` connections occupy `count` different workers.
   */
  together(request: HttpRequest, count: number): Promise<readonly (Answer | Error)[]>;
  /** Status of a WebSocket upgrade: 101 when it was taken. */
  upgrade(request: HttpRequest): Promise<number>;
}
