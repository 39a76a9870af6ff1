/** REST replies and refusals: a list of `{ message, errorCode }`. */
export function restJson(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json;charset=UTF-8' } })
}

export function restError(status: number, errorCode: string, message: string, fields?: readonly string[]): Response {
  return restJson([{ message, errorCode, ...(fields ? { fields } : {}) }], status)
}

export const notFound = (): Response => restError(404, 'NOT_FOUND', 'The requested resource does not exist')
