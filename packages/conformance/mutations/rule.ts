/** One safety rule of PROTOCOL.md, and how to turn it off in the sources. */
export interface Rule {
  /** Its number. */
  rule: string
  /** What no longer holds when it is turned off. */
  what: string
  /** From the root of the checkout. */
  file: string
  /** Occurs in the file exactly once. */
  find: string
  replace: string
  /** What notices. All that is named has to. */
  shownBy: { tests?: readonly string[]; simulation?: boolean }
}
