import { deliveryRules } from './delivery-rules.ts'
import type { Rule } from './rule.ts'
import { sessionRules } from './session-rules.ts'
import { transportRules } from './transport-rules.ts'

/** The rules that are turned off, in the order of PROTOCOL.md's chapters. */
export const rules: readonly Rule[] = [...sessionRules, ...transportRules, ...deliveryRules]
