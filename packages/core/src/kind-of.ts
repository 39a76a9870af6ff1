/** `typeof`, with `null` and `array` told from `object`. */
export function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

/** Whether a value is of one of the kinds, named in one text with spaces between. */
export function isOfKind(value: unknown, kinds: string): boolean {
  return kinds.split(' ').includes(kindOf(value))
}
