/** What a request may set besides its path. */
export interface RestRequest {
  /** Default `GET`; `POST` for `post()`. */
  method?: string
  /** Added to the path, encoded; `undefined` values are left out. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON; a string is sent as it stands (set `content-type` where it is not JSON). */
  body?: unknown
  /** Anything but `authorization`. */
  headers?: Readonly<Record<string, string>>
  /** In all, the body included. Default 30,000 ms. */
  timeoutMs?: number
  signal?: AbortSignal
}
