import { deliveryRules } from './delivery-rules.ts'
import { fanOutRules } from './fan-out-rules.ts'
import { loginRules } from './login-rules.ts'
import { recoveryRules } from './recovery-rules.ts'
import type { Rule } from './rule.ts'
import { sessionRules } from './session-rules.ts'
import { subscriptionRules } from './subscription-rules.ts'
import { transportRules } from './transport-rules.ts'

/** The rules that are turned off, chapter by chapter. */
export const rules: readonly Rule[] = [
  ...sessionRules,
  ...recoveryRules,
  ...loginRules,
  ...subscriptionRules,
  ...transportRules,
  ...deliveryRules,
  ...fanOutRules,
]
