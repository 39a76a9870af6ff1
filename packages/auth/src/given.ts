/** What a flow was called with. Nothing at all is options without credentials, which is for `required` to say. */
export function given<T extends object>(options: T): T {
  return Object(options) as T
}
